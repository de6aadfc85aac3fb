import { settingsWith } from '@manuel/settings';
import { createMetrics, silentLogger } from '@manuel/telemetry';
import { runWorker } from '../worker/run-worker.ts';
import { memoryLedger } from './memory-ledger.ts';

// A process of its own, so that a test can kill it while a job runs.
const url = process.argv[2] ?? '';
await runWorker(
  {
    settings: settingsWith({
      redis: { url },
      queue: { lock_ms: 600, stalled_interval_ms: 200, max_retries: 1, max_active_per_user: 100 },
    }),
    ledger: memoryLedger(),
    logger: silentLogger(),
    metrics: createMetrics('test'),
  },
  {
    queue: 'query',
    handlers: {
      query: (job) => {
        process.stdout.write(`running ${job.id}\n`);
        return new Promise(() => undefined);
      },
    },
  },
);

// A worker process of the bench: ours or a bare BullMQ Worker, with a handler that does nothing or takes a while.
import { Worker } from 'bullmq';
import { runWorker } from '@manuel/queues';
import { loadProcessSettings } from '@manuel/settings';
import { createMetrics, keepHeapSteady, silentLogger } from '@manuel/telemetry';
import { nullLedger } from './null-ledger.ts';

const env = process.env;
const concurrency = Number(env['BENCH_CONCURRENCY'] ?? '50');
const handlerMs = Number(env['BENCH_HANDLER_MS'] ?? '0');
const expected = Number(env['BENCH_EXPECTED'] ?? '0');
let handled = 0;

async function work(userId: string): Promise<void> {
  if (handlerMs > 0) await new Promise((resolve) => setTimeout(resolve, handlerMs));
  handled += 1;
  if (env['BENCH_REPORT'] === 'each') process.stdout.write(`handled ${userId} ${Date.now()}\n`);
  if (handled === expected) process.stdout.write(`done ${Date.now()}\n`);
}

if (env['BENCH_KIND'] === 'bare') {
  const worker = new Worker(
    'bare',
    async (job) => {
      await work(String((job.data as { user_id?: string }).user_id));
      return { ok: true };
    },
    {
      connection: { url: env['REDIS_URL'] ?? '', maxRetriesPerRequest: null },
      prefix: '{bare}',
      concurrency,
      removeOnComplete: { count: 1000 },
    },
  );
  await worker.waitUntilReady();
} else {
  // As all our services do.
  keepHeapSteady();
  const settings = loadProcessSettings();
  const deps = { settings, ledger: nullLedger(), logger: silentLogger(), metrics: createMetrics('bench') };
  await runWorker(deps, {
    queue: 'query',
    concurrency,
    handlers: {
      query: async (job) => {
        await work(job.userId);
        return {
          kind: 'done',
          result: {
            answer: 'nothing',
            citations: [],
            context_used: false,
            model: 'none',
            degradation: 'none',
            from_cache: false,
            conversation_id: 'cnv_00000000000000000000000000',
          },
        };
      },
    },
  });
}
process.stdout.write(`ready ${Date.now()}\n`);
process.on('SIGINT', () => process.exit(0));
process.on('SIGTERM', () => process.exit(0));

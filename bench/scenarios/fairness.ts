import { startRedis } from '@manuel/testing';
import { fillBare, fillOurs } from '../support/fill-queue.ts';
import { startProgram } from '../support/processes.ts';
import type { Scenario } from '../support/scenario.ts';

const burst = 500;
const handlerMs = 20;

/** Milliseconds that B's one job waits behind A's burst, with ten jobs at a time of 20 ms each. */
async function waitOfB(redisUrl: string, kind: 'ours' | 'bare'): Promise<number> {
  const fill = kind === 'ours' ? fillOurs : fillBare;
  await fill(redisUrl, burst, () => 'user-a');
  const worker = await startProgram('bench/support/worker-program.ts', {
    REDIS_URL: redisUrl,
    BENCH_KIND: kind,
    BENCH_CONCURRENCY: '10',
    BENCH_HANDLER_MS: String(handlerMs),
    BENCH_REPORT: 'each',
  });
  const started = Date.now();
  await fill(redisUrl, 1, () => 'user-b');
  const at = Number(await worker.line('handled user-b'));
  await worker.stop();
  return at - started;
}

export const fairness: Scenario = {
  name: 'fairness',
  title: 'How long B’s one question waits behind A’s 500',
  async run() {
    const redis = await startRedis();
    try {
      const base = await waitOfB(redis.url, 'bare');
      const ours = await waitOfB(redis.url, 'ours');
      return [{ what: 'B’s wait behind A’s 500 jobs of 20 ms', ours, base, unit: 'ms', against: 'plain FIFO BullMQ' }];
    } finally {
      await redis.close();
    }
  },
};

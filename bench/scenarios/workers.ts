import { Redis } from 'ioredis';
import { startRedis } from '@manuel/testing';
import { fillBare, fillOurs } from '../support/fill-queue.ts';
import { startProgram } from '../support/processes.ts';
import type { Row, Scenario } from '../support/scenario.ts';
import { median } from '../support/statistics.ts';

const concurrency = '50';
const userOf = (n: number): string => `user-${n % 100}`;

type Kind = 'ours' | 'bare';

/** Jobs a second that `processes` workers take from a queue of `count`, from their start to an empty queue. */
async function drain(redisUrl: string, kind: Kind, count: number, processes: number): Promise<number> {
  const redis = new Redis(redisUrl);
  try {
    await redis.flushall();
    await (kind === 'ours' ? fillOurs : fillBare)(redisUrl, count, userOf);
    const waiting = kind === 'ours' ? '{manuel}:query' : '{bare}:bare';
    const started = performance.now();
    const workers = await Promise.all(
      Array.from({ length: processes }, () =>
        startProgram('bench/support/worker-program.ts', {
          REDIS_URL: redisUrl,
          BENCH_KIND: kind,
          BENCH_CONCURRENCY: concurrency,
          QUEUE_MAX_ACTIVE_PER_USER: '1000000000',
        }),
      ),
    );
    const booted = performance.now();
    const left = async (): Promise<number> =>
      (await redis.zcard(`${waiting}:prioritized`)) + (await redis.llen(`${waiting}:active`));
    const atBoot = await left();
    while ((await left()) > 0) await new Promise((resolve) => setTimeout(resolve, 20));
    const ended = performance.now();
    await Promise.all(workers.map((worker) => worker.stop()));
    // What was done while the processes booted is left out, or a small queue would measure the boot.
    return atBoot > count / 4 ? (atBoot * 1000) / (ended - booted) : (count * 1000) / (ended - started);
  } finally {
    redis.disconnect();
  }
}

export const workers: Scenario = {
  name: 'workers',
  title: 'Jobs a second of runWorker with a no-op handler, against a bare BullMQ Worker',
  async run() {
    const redis = await startRedis();
    const rows: Row[] = [];
    try {
      const sizes = [1000, 10_000, 100_000];
      for (const count of sizes) {
        const times = count > 10_000 ? 1 : 3;
        const measured: Record<Kind, number[]> = { ours: [], bare: [] };
        for (let round = 0; round < times; round += 1) {
          measured.bare.push(await drain(redis.url, 'bare', count, 1));
          measured.ours.push(await drain(redis.url, 'ours', count, 1));
        }
        rows.push({
          what: `1 process, ${count.toLocaleString('en')} queued`,
          ours: median(measured.ours),
          base: median(measured.bare),
          unit: 'jobs/s',
          against: 'bare Worker, concurrency 50',
          ...(count === 10_000 ? { aim: { ratio: 0.6, direction: 'more' } as const } : {}),
        });
      }
      for (const processes of [2, 4]) {
        rows.push({
          what: `${processes} processes, 20,000 queued`,
          ours: await drain(redis.url, 'ours', 20_000, processes),
          base: await drain(redis.url, 'bare', 20_000, processes),
          unit: 'jobs/s',
          against: 'bare Workers, concurrency 50 each',
        });
      }
      return rows;
    } finally {
      await redis.close();
    }
  },
};

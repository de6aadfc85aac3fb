import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import type { JobClass } from '@manuel/contracts';
import { waitFor } from '@manuel/testing';
import * as fc from 'fast-check';
import { Redis } from 'ioredis';
import { makeAdmitScript } from './scripts/admit.ts';
import { run } from './scripts/script.ts';
import { done, question, startBench, submit, type TestBench } from './test-support/bench.ts';
import type { Admitter, RunningWorker } from './types.ts';

let bench: TestBench;
beforeAll(async () => {
  bench = await startBench({ queue: { max_wait_s: 600, max_size: 5000, max_per_user: 2000 } });
});
afterEach(() => bench.reset());
afterAll(() => bench.close());

const submitMany = (admitter: Admitter, user: string, count: number, change: { class?: JobClass } = {}) =>
  Promise.all(Array.from({ length: count }, () => submit(admitter, question(user, change))));

/** Records the order in which users' jobs start. */
async function record(concurrency = 1, workMs = 0): Promise<{ order: string[]; worker: RunningWorker }> {
  const order: string[] = [];
  const worker = await bench.worker(
    async (job) => {
      order.push(`${job.userId}${job.envelope.class === 'normal' ? '' : `/${job.envelope.class}`}`);
      if (workMs > 0) await new Promise((resolve) => setTimeout(resolve, workMs));
      return done(job);
    },
    { concurrency },
  );
  return { order, worker };
}
const share = (order: string[], user: string): number => order.filter((name) => name === user).length;

test('one question behind another user’s two hundred is among the next few', async () => {
  const admitter = await bench.admitter();
  await submitMany(admitter, 'anna', 200);
  const { order } = await record();
  await waitFor(() => order.length > 20);
  await submit(admitter, question('berta'));
  const before = order.length;
  await waitFor(() => order.includes('berta'));
  expect(order.indexOf('berta') - before).toBeLessThan(5);
});

test('users with equal backlogs get equal shares, whoever came first', async () => {
  const admitter = await bench.admitter();
  await submitMany(admitter, 'anna', 150);
  await submitMany(admitter, 'berta', 150);
  const { order } = await record(4);
  await waitFor(() => order.length === 300);
  for (const length of [40, 100, 200]) {
    const part = order.slice(0, length);
    expect(Math.abs(share(part, 'anna') - share(part, 'berta'))).toBeLessThanOrEqual(length * 0.1);
  }
});

test('equal shares also hold where each user may run few at once', async () => {
  bench.deps.settings.queue.max_active_per_user = 2;
  try {
    const admitter = await bench.admitter();
    for (const user of ['anna', 'berta', 'carla']) await submitMany(admitter, user, 60);
    const { order } = await record(4, 2);
    await waitFor(() => order.length === 180, { timeoutMs: 20_000 });
    const part = order.slice(0, 120);
    for (const user of ['anna', 'berta', 'carla']) expect(Math.abs(share(part, user) - 40)).toBeLessThanOrEqual(6);
  } finally {
    bench.deps.settings.queue.max_active_per_user = 100;
  }
});

test('classes go in order, whoever came first', async () => {
  const admitter = await bench.admitter();
  for (const name of ['low', 'normal', 'high', 'critical'] as const) {
    await submitMany(admitter, 'anna', 3, { class: name });
  }
  const { order } = await record();
  await waitFor(() => order.length === 12);
  const names = ['anna/critical', 'anna/high', 'anna', 'anna/low'];
  expect(order).toEqual(names.flatMap((name) => [name, name, name]));
});

test('a job that has started goes on before those that have not', async () => {
  const admitter = await bench.admitter();
  await submit(admitter, question('anna', { text: 'first' }));
  await submitMany(admitter, 'anna', 5);
  const texts: string[] = [];
  await bench.worker(
    async (job) => {
      texts.push(job.payload.question);
      if (job.payload.question === 'first' && job.attempt === 1) throw new Error('once more');
      // Long enough for the retry to come back while others wait.
      await new Promise((resolve) => setTimeout(resolve, 40));
      return done(job);
    },
    { concurrency: 1 },
  );
  await waitFor(() => texts.length === 7);
  expect(texts.lastIndexOf('first')).toBeLessThan(4);
});

test('low work runs in time under a steady stream of normal work', async () => {
  const maxWaitMs = 3000;
  const { queue } = bench.deps.settings;
  queue.max_wait_s = maxWaitMs / 1000;
  const stop = new AbortController();
  try {
    const admitter = await bench.admitter();
    await submitMany(admitter, 'anna', 150);
    const { order } = await record(1, 5);
    const start = Date.now();
    await submit(admitter, question('berta', { class: 'low' }));
    // More than the worker can do, for ever.
    const stream = (async () => {
      while (!stop.signal.aborted) {
        await submitMany(admitter, 'anna', 3);
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
    })();
    await waitFor(() => order.includes('berta/low'), { timeoutMs: 5000 });
    expect(Date.now() - start).toBeLessThan(maxWaitMs);
    expect(await bench.redis.zcard('{manuel}:query:prioritized')).toBeGreaterThan(50);
    stop.abort();
    await stream;
  } finally {
    stop.abort();
    queue.max_wait_s = 600;
  }
});

test('whatever the arrivals, nobody is more than two turns behind anybody', async () => {
  const users = ['anna', 'berta', 'carla', 'dora'];
  const step = fc.oneof(
    { weight: 2, arbitrary: fc.record({ user: fc.constantFrom(...users), count: fc.integer({ min: 1, max: 6 }) }) },
    { weight: 3, arbitrary: fc.record({ serve: fc.integer({ min: 1, max: 5 }) }) },
  );
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 25 }), async (steps) => {
      await bench.reset();
      const admitter = await bench.admitter();
      const turn = { permits: 0 };
      const order: string[] = [];
      let wake: () => void = () => undefined;
      await bench.worker(
        async (job) => {
          // One job at a time, and only when the test serves it.
          while (turn.permits === 0) await new Promise<void>((resolve) => (wake = resolve));
          turn.permits -= 1;
          order.push(job.userId);
          return done(job);
        },
        { concurrency: 1 },
      );
      // How often each other was served since a user began to wait or was served itself.
      const waiting = new Map(users.map((user) => [user, 0]));
      const passed = new Map<string, number>();
      let served = 0;
      const account = (): void => {
        for (const user of order.slice(served)) {
          waiting.set(user, (waiting.get(user) ?? 0) - 1);
          for (const other of users) {
            const pair = `${other}<${user}`;
            if (other === user || waiting.get(other) === 0) passed.set(pair, 0);
            else passed.set(pair, (passed.get(pair) ?? 0) + 1);
          }
          for (const other of users) passed.set(`${user}<${other}`, 0);
        }
        served = order.length;
        // The one in the worker's hands was chosen before whoever came later: it makes three of two.
        for (const [pair, times] of passed) if (times > 3) throw new Error(`${pair}: passed ${times} times`);
      };
      const total = (): number => [...waiting.values()].reduce((sum, n) => sum + n, 0);
      for (const action of steps) {
        if ('user' in action) {
          await submitMany(admitter, action.user, action.count);
          waiting.set(action.user, (waiting.get(action.user) ?? 0) + action.count);
        } else {
          const target = Math.min(action.serve, total());
          turn.permits += target;
          wake();
          await waitFor(() => order.length === served + target, { everyMs: 1 });
          account();
        }
      }
      turn.permits += total();
      const all = order.length + total();
      wake();
      await waitFor(() => order.length === all, { everyMs: 1 });
      account();
    }),
    { numRuns: 25 },
  );
}, 60_000);

test('turns near the end of a band start anew without changing their order', async () => {
  const redis = new Redis(bench.url);
  const width = 40;
  const band = (base: number) => ({ base, width });
  const tiny = makeAdmitScript({ critical: band(10), high: band(60), normal: band(110), low: band(160) });
  const zset = '{manuel}:query:prioritized';
  const admit = async (user: string, id: string): Promise<number> => {
    const common = [1, '2026-11-20', 0, 0, 0, 0, 'query', 0];
    const own = ['query', user, id, 'normal', 0, 0, '', '', 0, '', '', '', 0];
    const replies = await run(redis, tiny, '{manuel}', [...common, ...own]);
    const reply = Array.isArray(replies) ? replies[0] : null;
    const priority = Number(Array.isArray(reply) ? reply[1] : 0);
    await redis.hset(`{manuel}:query:${id}`, { priority });
    await redis.zadd(zset, priority * 2 ** 32 + Number(id), id);
    return priority;
  };
  try {
    for (let i = 0; i < 36; i += 1) await admit('anna', String(i));
    // Thirty of them are served.
    await redis.zremrangebyrank(zset, 0, 29);
    await redis.hset('{manuel}:fair:query:normal', '#v', 29);
    await admit('anna', '36');
    await admit('anna', '37');
    await admit('berta', '38');
    const last = await admit('anna', '39');
    expect(last).toBeLessThan(111 + 15);
    const order = await redis.zrange(zset, '0', '-1', 'WITHSCORES');
    expect(order.filter((_, i) => i % 2 === 0)).toEqual(['38', '30', '31', '32', '33', '34', '35', '36', '37', '39']);
    for (const id of ['31', '36', '39']) {
      const score = Number(await redis.zscore(zset, id));
      expect(Number(await redis.hget(`{manuel}:query:${id}`, 'priority'))).toBe(Math.floor(score / 2 ** 32));
    }
  } finally {
    redis.disconnect();
  }
});

test('what was cancelled before it started costs no turns', async () => {
  const admitter = await bench.admitter();
  const cancelled = await submitMany(admitter, 'anna', 50);
  await submitMany(admitter, 'berta', 100);
  for (const { id } of cancelled) await admitter.cancel('anna', id);
  await submit(admitter, question('anna'));
  const { order } = await record();
  await waitFor(() => order.includes('anna'));
  expect(order.indexOf('anna')).toBeLessThan(5);
});

import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { newJobId } from '@manuel/contracts';
import { waitFor } from '@manuel/testing';
import { Queue } from 'bullmq';
import { answered, done, question, startBench, submit, type TestBench } from './test-support/bench.ts';
import { startHeldBack } from './test-support/held-back.ts';
import { topLevelCommands } from './test-support/count-commands.ts';
import type { Handler } from './types.ts';
import { runWorker } from './worker/run-worker.ts';

let bench: TestBench;
beforeAll(async () => {
  // A lock that lapses late: a job that was taken and lost would be missed.
  bench = await startBench({ queue: { lock_ms: 30_000 } });
});
afterEach(() => bench.reset());
afterAll(() => bench.close());

const statusOf = (jobId: string) => [...bench.deps.ledger.rows.values()].find((row) => row.job_id === jobId)?.status;
const isIdle = async (): Promise<boolean> => /^blocked_clients:1\r$/m.test(await bench.redis.info('clients'));
const completed = (jobId: string) =>
  waitFor(() => statusOf(jobId) === 'completed', { what: `${jobId} to be completed`, timeoutMs: 3000 });

test('a job that comes alone is taken with the wait for it', async () => {
  const admitter = await bench.admitter();
  await bench.worker(done, { concurrency: 4 });
  const ask = async (): Promise<void> => {
    const { id } = await submit(admitter, question('anna'));
    await completed(id);
    await waitFor(isIdle);
  };
  // The first one teaches Redis the scripts.
  await ask();
  const commands = await topLevelCommands(bench.url, ask);
  const count = (pattern: RegExp) => commands.filter((name) => pattern.test(name)).length;
  // Admitted, added, taken, ended; and waited for the next.
  expect([count(/^eval/), count(/^bzpopmin$/)]).toEqual([4, 1]);
});

test('a worker that waits takes a delayed job when it is due, also while it runs the only other one', async () => {
  const admitter = await bench.admitter();
  const queue = new Queue('query', { connection: { url: bench.url }, prefix: '{manuel}' });
  const delayed = async (delay: number): Promise<string> => {
    const id = newJobId('query');
    const now = Date.now();
    const own = { id, user_id: 'ben', operation: 'query', class: 'normal', request_id: 'r' };
    const times = { created_at: now, expires_at: now + 45_000 };
    const payload = { question: 'When?', persona: 'default' };
    await queue.add('query', { ...own, ...times, payload }, { jobId: id, delay, priority: 1000 });
    return id;
  };
  const started: string[] = [];
  const gate = Promise.withResolvers<void>();
  await bench.worker(
    async (job) => {
      started.push(job.id);
      if (job.userId === 'anna') await gate.promise;
      return { kind: 'done', result: answered() };
    },
    { concurrency: 2 },
  );
  await waitFor(isIdle);
  const first = await delayed(300);
  await waitFor(() => started.includes(first), { timeoutMs: 2000 });
  const second = await delayed(600);
  const { id } = await submit(admitter, question('anna'));
  await waitFor(() => started.includes(id), { timeoutMs: 500 });
  await waitFor(() => started.includes(second), { timeoutMs: 2000 });
  gate.resolve();
  await completed(id);
  await queue.close();
});

test('a worker that stops takes no job with it that comes in that moment', async () => {
  const admitter = await bench.admitter();
  for (let round = 0; round < 12; round += 1) {
    const worker = await bench.worker(done);
    await waitFor(isIdle);
    const { id } = await submit(admitter, question('anna'));
    for (let turn = 0; turn < round % 4; turn += 1) await new Promise((resolve) => setImmediate(resolve));
    await worker.close();
    const next = await bench.worker(done);
    await completed(id);
    await next.close();
  }
});

test('a waiting connection that breaks, and scripts that Redis forgets, cost no job', async () => {
  const admitter = await bench.admitter();
  await bench.worker(done);
  for (let round = 0; round < 8; round += 1) {
    await waitFor(isIdle);
    if (round % 2 === 0) {
      const clients = String(await bench.redis.client('LIST'));
      const waiting = clients.split('\n').find((line) => / cmd=bzpopmin /.test(line)) ?? '';
      const [, id = ''] = /^id=(\d+) /.exec(waiting) ?? [];
      expect(await bench.redis.client('KILL', 'ID', id)).toBe(1);
    } else await bench.redis.script('FLUSH');
    await completed((await submit(admitter, question('anna'))).id);
  }
});

test('the lock of a job that was taken so is renewed while it runs', async () => {
  const admitter = await bench.admitter();
  const { settings } = bench.deps;
  const short = { ...settings, queue: { ...settings.queue, lock_ms: 400, stalled_interval_ms: 100 } };
  const gate = Promise.withResolvers<void>();
  let runs = 0;
  const query: Handler<'query'> = async () => {
    runs += 1;
    await gate.promise;
    return { kind: 'done', result: answered() };
  };
  const worker = await runWorker({ ...bench.deps, settings: short }, { queue: 'query', handlers: { query } });
  await waitFor(isIdle);
  const { id } = await submit(admitter, question('anna'));
  const since = Date.now();
  await waitFor(() => runs === 1);
  await waitFor(() => Date.now() - since > 1500);
  gate.resolve();
  await completed(id);
  expect(runs).toBe(1);
  await worker.close();
});

test('a worker stops at once also while Redis is away', async () => {
  const worker = await bench.worker(done);
  await waitFor(isIdle);
  const clients = String(await bench.redis.client('LIST'));
  expect(clients).toMatch(/ cmd=bzpopmin /);
  await bench.server.stop('SIGKILL');
  const since = performance.now();
  await worker.close(10_000);
  expect(performance.now() - since).toBeLessThan(3000);
  await bench.server.start();
  await waitFor(() => bench.redis.ping());
});

test('a worker that hears of its job only when another has taken it over leaves it alone', async () => {
  const admitter = await bench.admitter();
  const line = await startHeldBack(bench.server.port);
  const { settings } = bench.deps;
  const queue = { ...settings.queue, lock_ms: 400, stalled_interval_ms: 100 };
  const start = async (url: string): Promise<{ ran: string[]; close: () => Promise<void> }> => {
    const ran: string[] = [];
    const query: Handler<'query'> = async ({ id }) => {
      ran.push(id);
      return { kind: 'done', result: answered() };
    };
    const own = { ...settings, queue, redis: { ...settings.redis, url } };
    const worker = await runWorker({ ...bench.deps, settings: own }, { queue: 'query', handlers: { query } });
    return { ran, close: () => worker.close() };
  };
  const far = await start(line.url);
  await waitFor(isIdle);
  line.hold();
  const { id } = await submit(admitter, question('anna'));
  const near = await start(bench.url);
  await completed(id);
  expect(near.ran).toEqual([id]);
  await near.close();
  line.release();
  const next = await submit(admitter, question('anna'));
  await completed(next.id);
  expect(far.ran).toEqual([next.id]);
  await far.close();
  await line.close();
});

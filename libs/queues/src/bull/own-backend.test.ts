import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { newJobId, type Envelope } from '@manuel/contracts';
import { waitFor } from '@manuel/testing';
import { Queue } from 'bullmq';
import type { Redis } from 'ioredis';
import { queueContext } from '../context.ts';
import { addToQueue } from '../enqueue.ts';
import { runWorker } from '../worker/run-worker.ts';
import { answered, done, question, startBench, submit, type TestBench } from '../test-support/bench.ts';
import { topLevelCommands } from '../test-support/count-commands.ts';
import { createMoves } from '../worker/moves.ts';

let bench: TestBench;
beforeAll(async () => {
  bench = await startBench({ queue: { max_active_per_user: 2 } });
});
afterEach(() => bench.reset());
afterAll(() => bench.close());

const statusOf = (jobId: string) => [...bench.deps.ledger.rows.values()].find((row) => row.job_id === jobId)?.status;

const envelopeOf = (id: string): Envelope => ({
  id,
  user_id: 'anna',
  operation: 'query',
  class: 'normal',
  request_id: 'r',
  created_at: 1_790_000_000_000,
  expires_at: 1_790_000_045_000,
  payload: { question: 'Wie – mit „Öl“?', persona: 'default' },
});

test('jobs of one turn are added in one round trip, each as BullMQ itself would store it', async () => {
  const context = queueContext(bench.deps, bench.redis);
  const ids = Array.from({ length: 30 }, () => newJobId('query'));
  const priorityOf = (n: number): number => 1000 + (n % 7);
  const commands = await topLevelCommands(bench.url, () =>
    Promise.all(ids.map((id, n) => addToQueue(context, 'query', envelopeOf(id), priorityOf(n)))),
  );
  // The first lot teaches Redis the script.
  expect(commands.filter((name) => name.startsWith('eval')).length).toBeLessThanOrEqual(4);

  const theirs = new Queue('query', { connection: { url: bench.url }, prefix: '{theirs}' });
  try {
    const attempts = bench.deps.settings.retry.bedrock.max_retries + 1;
    for (const [n, id] of ids.entries()) {
      const envelope = envelopeOf(id);
      await theirs.add('query', envelope, {
        jobId: id,
        priority: priorityOf(n),
        attempts,
        backoff: { type: 'policy' },
        timestamp: envelope.created_at,
      });
    }
    const stored = async (prefix: string) => ({
      jobs: await Promise.all(ids.map((id) => bench.redis.hgetall(`${prefix}:query:${id}`))),
      order: await bench.redis.zrange(`${prefix}:query:prioritized`, '0', '-1', 'WITHSCORES'),
      counter: await bench.redis.get(`${prefix}:query:pc`),
      marker: await bench.redis.zrange(`${prefix}:query:marker`, '0', '-1', 'WITHSCORES'),
      keys: (await bench.redis.keys(`${prefix}:query:*`)).map((key) => key.slice(prefix.length)).sort(),
    });
    const ours = await stored('{manuel}');
    expect(ours.jobs.every((job) => job['name'] === 'query')).toBe(true);
    expect(ours).toEqual(await stored('{theirs}'));
  } finally {
    await theirs.close();
    await context.handles.close();
  }
});

test('a job that is there already stays as it is', async () => {
  const context = queueContext(bench.deps, bench.redis);
  const id = newJobId('query');
  await addToQueue(context, 'query', envelopeOf(id), 1000);
  await addToQueue(context, 'query', { ...envelopeOf(id), request_id: 'other' }, 2000);
  expect(await bench.redis.hget(`{manuel}:query:${id}`, 'priority')).toBe('1000');
  expect(await bench.redis.hget(`{manuel}:query:${id}`, 'data')).toContain('"request_id":"r"');
  expect(await bench.redis.zcard('{manuel}:query:prioritized')).toBe(1);
  await context.handles.close();
});

test('a job costs its worker one round trip, from the end of the one before to its own', async () => {
  const admitter = await bench.admitter();
  const jobs = await Promise.all(Array.from({ length: 40 }, (_, n) => submit(admitter, question(`user-${n}`))));
  const commands = await topLevelCommands(bench.url, async () => {
    await bench.worker(done, { concurrency: 1 });
    await waitFor(() => jobs.every(({ id }) => statusOf(id) === 'completed'));
    await waitFor(async () => (await bench.redis.llen('{manuel}:query:active')) === 0);
  });
  // Besides the moves: the first take, and what looks after the queue.
  expect(commands.filter((name) => name.startsWith('eval')).length).toBeLessThan(jobs.length + 20);
});

test('a job that was given out behind a retry starts like any other, and its slot is freed', async () => {
  const admitter = await bench.admitter();
  const hub = await bench.hub(admitter);
  const told: string[] = [];
  const listening = await hub.subscribe('anna', ({ event }) => {
    if (event.type === 'job') told.push(`${event.job.id} ${event.job.status} ${event.job.attempts}`);
  });
  const [first, second] = [await submit(admitter, question('anna')), await submit(admitter, question('anna'))];
  await bench.worker(
    async (job) => {
      if (job.id === first.id && job.attempt === 1) throw new Error('once more');
      return { kind: 'done', result: answered() };
    },
    { concurrency: 1 },
  );
  for (const { id } of [first, second])
    expect(await hub.waitForEnd('anna', id, 5000)).toMatchObject({ status: 'completed' });
  await waitFor(() => told.length === 4);
  expect(told.filter((line) => line.startsWith(first.id))).toEqual([`${first.id} active 1`, `${first.id} completed 2`]);
  expect(told.filter((line) => line.startsWith(second.id))).toEqual([
    `${second.id} active 1`,
    `${second.id} completed 1`,
  ]);
  await waitFor(async () => (await bench.redis.exists('{manuel}:act:query:anna')) === 0);
  listening.close();
});

test('a job that is parked by the very run that frees a slot gets it', async () => {
  const admitter = await bench.admitter();
  const ends = new Map<string, () => void>();
  await bench.worker(
    async (job) => {
      await new Promise<void>((resolve) => ends.set(job.id, resolve));
      return { kind: 'done', result: answered() };
    },
    { concurrency: 3 },
  );
  const ben = await submit(admitter, question('ben'));
  const [first, second] = [await submit(admitter, question('anna')), await submit(admitter, question('anna'))];
  await waitFor(() => ends.size === 3);
  const third = await submit(admitter, question('anna'));
  // Ben's place is given to anna's third job, which has no slot, in the moment when her first one gives its own back.
  for (const { id } of [ben, first]) ends.get(id)?.();
  await waitFor(() => ends.has(third.id), { timeoutMs: 3000 });
  for (const { id } of [second, third]) ends.get(id)?.();
  await waitFor(() => [ben, first, second, third].every(({ id }) => statusOf(id) === 'completed'));
});

test('a job that comes while the last one runs is taken at once', async () => {
  const admitter = await bench.admitter();
  const gate = Promise.withResolvers<void>();
  const started: string[] = [];
  await bench.worker(
    async (job) => {
      started.push(job.id);
      await gate.promise;
      return { kind: 'done', result: answered() };
    },
    { concurrency: 4 },
  );
  const first = await submit(admitter, question('anna'));
  await waitFor(() => started.length === 1);
  const second = await submit(admitter, question('ben'));
  await waitFor(() => started.length === 2, { timeoutMs: 1000 });
  expect(started).toEqual([first.id, second.id]);
  gate.resolve();
});

/** What asks a Redis for jobs that gives one each time, says that it was the last, and when the next delayed one is due. */
function asker(nextDue: number) {
  let asked = 0;
  const evalsha = () => {
    asked += 1;
    return Promise.resolve([[['name', 'query'], newJobId('query'), 0, 0], null, nextDue]);
  };
  // Safe: it is asked nothing else.
  const redis = { evalsha } as unknown as Redis;
  const moves = createMoves(
    { ...bench.deps, now: Date.now },
    { redis, queue: 'query', handled: ['query'], promote: () => undefined },
  );
  return { take: (): unknown => moves.own.get('moveToActive')?.([]), asked: () => asked };
}

test('that no job is left is believed for the question that follows at once, not when a marker told of another', async () => {
  const nextDue = Date.now() + 60_000;
  const { take, asked } = asker(nextDue);
  const told = Promise.withResolvers<unknown>();
  const again: unknown[] = [];
  setTimeout(() => void Promise.resolve(take()).then(async () => again.push(await take())), 1);
  // The same turn of the event loop: the marker came over another socket.
  setTimeout(() => told.resolve(take()), 1);
  expect(await told.promise).not.toEqual([0, 0, 0, nextDue]);
  expect(again).toEqual([[0, 0, 0, nextDue]]);
  expect(asked()).toBe(2);
});

test('that no job is left is believed once, and not where a delayed one is due: BullMQ would ask for ever', async () => {
  const later = asker(Date.now() + 60_000);
  for (let question = 0; question < 3; question += 1) await later.take();
  expect(later.asked()).toBe(2);
  const due = asker(Date.now() - 1);
  for (let question = 0; question < 3; question += 1) await due.take();
  expect(due.asked()).toBe(3);
});

test('what no handler here knows, and what cannot be read, takes no slot and is told nobody', async () => {
  const admitter = await bench.admitter();
  const queue = new Queue('query', { connection: { url: bench.url }, prefix: '{manuel}' });
  const id = newJobId('query');
  const now = Date.now();
  const envelope = { ...envelopeOf(id), created_at: now, expires_at: now + 45_000 };
  await queue.add('newer', envelope, { jobId: id, priority: 1000 });
  const ofNobody = newJobId('query');
  await queue.add('query', { ...envelope, id: ofNobody, user_id: 'a:b' }, { jobId: ofNobody, priority: 1001 });
  await queue.add('query', 'no envelope', { jobId: newJobId('query'), priority: 1002 });
  for (const [n, started_at] of [null, 'yesterday'].entries()) {
    const odd = newJobId('query');
    await queue.add('query', { ...envelope, id: odd, carried: { started_at } }, { jobId: odd, priority: 1003 + n });
  }
  const good = await submit(admitter, question('anna'));
  await bench.worker(done, { concurrency: 1 });
  // At once, not when their locks have lapsed.
  await waitFor(() => statusOf(good.id) === 'completed', { timeoutMs: 1500 });
  await waitFor(async () => (await bench.redis.zcard('{manuel}:query:failed')) === 4, { timeoutMs: 1500 });
  await waitFor(async () => (await bench.redis.keys('{manuel}:act:query:*')).length === 0);
  const events = await bench.redis.xrange('{manuel}:ev:anna', '-', '+');
  expect(events.filter(([, fields]) => fields.join(' ').includes(id))).toEqual([]);
  expect(await bench.redis.hget(`{manuel}:query:${id}`, 'mst')).toBeNull();
  await queue.close();
});

test('a Redis that refuses is asked now and then, and the job runs when it takes commands again', async () => {
  const admitter = await bench.admitter();
  const job = await submit(admitter, question('anna'));
  await bench.redis.config('SET', 'maxmemory', '1');
  const warnings: string[] = [];
  const logger = { ...bench.deps.logger, warn: (message: string) => void warnings.push(message) };
  const worker = await runWorker({ ...bench.deps, logger }, { queue: 'query', handlers: { query: done } });
  try {
    await waitFor(() => warnings.filter((line) => line === 'worker trouble').length >= 2);
    await bench.redis.config('SET', 'maxmemory', '0');
    await waitFor(() => statusOf(job.id) === 'completed');
    // Two at half a second each, one more meanwhile, and what else looks after the queue.
    expect(warnings.length).toBeLessThan(12);
  } finally {
    await bench.redis.config('SET', 'maxmemory', '0');
    await worker.close(0);
  }
});

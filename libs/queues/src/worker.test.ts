import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { ManuelError, type JobStatus } from '@manuel/contracts';
import { waitFor } from '@manuel/testing';
import { answered, done, question, startBench, submit, type TestBench } from './test-support/bench.ts';
import type { Admitter, Handler } from './types.ts';
import { runWorker } from './worker/run-worker.ts';

let bench: TestBench;
beforeAll(async () => {
  bench = await startBench({ queue: { timeout_ms: 400, max_active_per_user: 3, max_wait_s: 600 } });
});
afterEach(() => bench.reset());
afterAll(() => bench.close());

/** Never ends and does not care about its signal. */
const deaf: Handler<'query'> = () => new Promise(() => undefined);
const statusOf = async (admitter: Admitter, id: string): Promise<JobStatus | undefined> =>
  (await admitter.view('anna', id))?.status;

test('a failure that may pass is tried again by the policy, and told only when it is final', async () => {
  const admitter = await bench.admitter();
  const hub = await bench.hub(admitter);
  const tries: { attempt: number; last: boolean }[] = [];
  await bench.worker(async (job) => {
    tries.push({ attempt: job.attempt, last: job.lastAttempt });
    throw new Error('the network is a fickle thing');
  });
  const job = await submit(admitter, question('anna'));
  const ended = await hub.waitForEnd('anna', job.id, 5000);
  expect(tries).toEqual([
    { attempt: 1, last: false },
    { attempt: 2, last: false },
    { attempt: 3, last: true },
  ]);
  expect(ended).toMatchObject({ status: 'failed', attempts: 3, error: { code: 'internal', request_id: 'req-1' } });
  expect(ended?.error?.detail).not.toMatch(/fickle/);
  await waitFor(async () => (await bench.redis.zcard('{manuel}:query:failed')) === 1);
});

test('a failure that cannot pass is not tried again', async () => {
  const admitter = await bench.admitter();
  const hub = await bench.hub(admitter);
  let tries = 0;
  await bench.worker(async () => {
    tries += 1;
    throw new ManuelError('validation_failed', 'No such persona.', {
      errors: [{ path: 'persona', message: 'unknown' }],
    });
  });
  const job = await submit(admitter, question('anna'));
  expect(await hub.waitForEnd('anna', job.id, 5000)).toMatchObject({
    status: 'failed',
    attempts: 1,
    error: { code: 'validation_failed', status: 400, errors: [{ path: 'persona', message: 'unknown' }] },
  });
  expect(tries).toBe(1);
});

test('a payload or a result that is not valid fails without another try', async () => {
  const admitter = await bench.admitter();
  const hub = await bench.hub(admitter);
  await bench.worker(async () => ({ kind: 'done', result: { ...answered(), citations: 'none' as never } }));
  const broken = await submit(admitter, { ...question('anna'), payload: { question: '', persona: 'default' } });
  expect(await hub.waitForEnd('anna', broken.id, 5000)).toMatchObject({ error: { code: 'validation_failed' } });
  const wrong = await submit(admitter, question('anna'));
  expect(await hub.waitForEnd('anna', wrong.id, 5000)).toMatchObject({ attempts: 1, error: { code: 'internal' } });
});

test('a run that takes too long is ended, even one that does not listen', async () => {
  const admitter = await bench.admitter();
  const hub = await bench.hub(admitter);
  let heard: unknown;
  await bench.worker(async (job) => {
    job.signal.addEventListener('abort', () => (heard = job.signal.reason));
    return deaf(job);
  });
  const job = await submit(admitter, question('anna'));
  expect(await hub.waitForEnd('anna', job.id, 5000)).toMatchObject({ status: 'failed', error: { code: 'timed_out' } });
  expect(heard).toBeInstanceOf(Error);
});

test('a queued job that is cancelled never starts, and what it left is cleaned up', async () => {
  const admitter = await bench.admitter();
  const job = await submit(admitter, question('anna'));
  expect(await admitter.cancel('anna', job.id)).toMatchObject({ status: 'cancelled', error: { code: 'cancelled' } });
  await expect(admitter.cancel('anna', job.id)).rejects.toMatchObject({ code: 'conflict' });
  expect(await admitter.cancel('berta', job.id)).toBeUndefined();

  const abandoned: string[] = [];
  let started = 0;
  const worker = await runWorker(bench.deps, {
    queue: 'query',
    handlers: {
      query: (context) => {
        started += 1;
        return done(context);
      },
    },
    onAbandoned: async ({ envelope, status }) => void abandoned.push(`${envelope.id} ${status}`),
  });
  await waitFor(() => abandoned.length === 1);
  expect(abandoned).toEqual([`${job.id} cancelled`]);
  expect(started).toBe(0);
  expect(await statusOf(admitter, job.id)).toBe('cancelled');
  await worker.close(0);
});

test('an active job that is cancelled is aborted within two seconds, and its slot is free', async () => {
  const admitter = await bench.admitter();
  const hub = await bench.hub(admitter);
  let aborted = 0;
  await bench.worker(
    async (job) => {
      if (job.payload.question !== 'hang') return done(job);
      job.signal.addEventListener('abort', () => (aborted = Date.now()));
      return deaf(job);
    },
    { concurrency: 1 },
  );
  bench.deps.settings.queue.timeout_ms = 60_000;
  try {
    const hanging = await submit(admitter, question('anna', { text: 'hang' }));
    await waitFor(async () => (await statusOf(admitter, hanging.id)) === 'active');
    const start = Date.now();
    await admitter.cancel('anna', hanging.id);
    const next = await submit(admitter, question('anna'));
    expect(await hub.waitForEnd('anna', next.id, 5000)).toMatchObject({ status: 'completed' });
    expect(aborted - start).toBeLessThan(2000);
    expect(await statusOf(admitter, hanging.id)).toBe('cancelled');
    expect(await admitter.usage('anna')).toMatchObject({ daily_used: 1 });
    await waitFor(async () => (await bench.redis.zcard('{manuel}:ended')) === 0);
  } finally {
    bench.deps.settings.queue.timeout_ms = 400;
  }
});

test('a result that comes after a cancel charges nothing', async () => {
  const admitter = await bench.admitter();
  const gate = Promise.withResolvers<void>();
  await bench.worker(async (job) => {
    await gate.promise;
    return done(job);
  });
  const job = await submit(admitter, question('anna'));
  await waitFor(async () => (await statusOf(admitter, job.id)) === 'active');
  await admitter.cancel('anna', job.id);
  gate.resolve();
  await waitFor(async () => (await bench.redis.llen('{manuel}:query:active')) === 0);
  expect(await statusOf(admitter, job.id)).toBe('cancelled');
  expect(bench.deps.ledger.charges.size).toBe(0);
  expect(await admitter.usage('anna')).toMatchObject({ daily_used: 0 });
});

test('a job that is not started in time expires and costs nothing', async () => {
  const admitter = await bench.admitter();
  const hub = await bench.hub(admitter);
  const job = await submit(admitter, question('anna', { expiresInS: 0 }));
  await waitFor(() => Date.now() > Date.parse(job.created_at) + 1);
  await bench.worker(done);
  expect(await hub.waitForEnd('anna', job.id, 5000)).toMatchObject({
    status: 'expired',
    started_at: null,
    error: { code: 'expired' },
  });
  expect(await admitter.usage('anna')).toMatchObject({ daily_used: 0 });
});

test('one user runs no more at once than allowed; the others’ slots stay theirs', async () => {
  const admitter = await bench.admitter();
  let running = 0;
  let most = 0;
  await bench.worker(
    async (job) => {
      if (job.userId === 'anna') most = Math.max(most, (running += 1));
      await new Promise((resolve) => setTimeout(resolve, 20));
      if (job.userId === 'anna') running -= 1;
      return done(job);
    },
    { concurrency: 8 },
  );
  const jobs = await Promise.all(Array.from({ length: 20 }, () => submit(admitter, question('anna'))));
  const other = await submit(admitter, question('berta'));
  await waitFor(async () => (await admitter.view('berta', other.id))?.status === 'completed');
  expect(bench.deps.ledger.charges.size).toBeLessThan(jobs.length);
  await waitFor(() => bench.deps.ledger.charges.size === jobs.length + 1);
  expect(most).toBe(3);
});

test('a slot is given on once, however often its job’s end is told', async () => {
  const admitter = await bench.admitter();
  const gate = Promise.withResolvers<void>();
  await bench.worker(
    async (job) => {
      await gate.promise;
      return done(job);
    },
    { concurrency: 10 },
  );
  bench.deps.settings.queue.timeout_ms = 60_000;
  try {
    const jobs = await Promise.all(Array.from({ length: 12 }, () => submit(admitter, question('anna'))));
    await waitFor(async () => (await bench.redis.zcard('{manuel}:parked:query:anna')) === 9);
    const parked = new Set(await bench.redis.zrange('{manuel}:parked:query:anna', '0', '-1'));
    // Ended from outside: told by the one who ends it, and again by the worker that drops it.
    const held = jobs.filter(({ id }) => !parked.has(id)).slice(0, 2);
    const waiting = jobs.filter(({ id }) => parked.has(id)).slice(0, 3);
    for (const { id } of [...waiting, ...held]) await admitter.cancel('anna', id);
    await waitFor(async () => (await bench.redis.zcard('{manuel}:ended')) === 0);
    expect(await bench.redis.zcard('{manuel}:act:query:anna')).toBe(3);
    gate.resolve();
    await waitFor(() => bench.deps.ledger.charges.size === 7);
  } finally {
    bench.deps.settings.queue.timeout_ms = 400;
  }
});

test('a closing worker gives back what it cannot finish, and no try is used up', async () => {
  const admitter = await bench.admitter();
  const hub = await bench.hub(admitter);
  const first = await bench.worker(deaf);
  const job = await submit(admitter, question('anna'));
  await waitFor(async () => (await statusOf(admitter, job.id)) === 'active');
  await first.close(50);
  expect(await statusOf(admitter, job.id)).toBe('active');
  await bench.worker(done);
  expect(await hub.waitForEnd('anna', job.id, 5000)).toMatchObject({ status: 'completed', attempts: 1 });
});

test('a worker that finishes what it runs closes without giving anything back', async () => {
  const admitter = await bench.admitter();
  const gate = Promise.withResolvers<void>();
  const worker = await bench.worker(async (job) => {
    await gate.promise;
    return done(job);
  });
  const job = await submit(admitter, question('anna'));
  await waitFor(async () => (await statusOf(admitter, job.id)) === 'active');
  const closed = worker.close(5000);
  gate.resolve();
  await closed;
  expect(await statusOf(admitter, job.id)).toBe('completed');
});

test('a worker is live while it makes progress or has nothing to do, and not when work waits and it takes none', async () => {
  const admitter = await bench.admitter();
  const worker = await bench.worker(done);
  expect(await worker.live()).toMatchObject({ ok: true });
  // BullMQ's fetch loop dies silently: the queue is there, jobs wait, nobody takes them.
  await bench.redis.hset('{manuel}:query:meta', 'concurrency', '0');
  await submit(admitter, question('anna'));
  expect(await worker.live()).toMatchObject({ ok: true });
  await waitFor(async () => !(await worker.live()).ok);
  await bench.redis.hdel('{manuel}:query:meta', 'concurrency');
});

test('jobs that waited for a slot are not lost when they are cancelled or expire meanwhile', async () => {
  const admitter = await bench.admitter();
  const gate = Promise.withResolvers<void>();
  await bench.worker(
    async (job) => {
      await gate.promise;
      return done(job);
    },
    { concurrency: 8 },
  );
  bench.deps.settings.queue.timeout_ms = 60_000;
  try {
    const jobs = await Promise.all(Array.from({ length: 12 }, () => submit(admitter, question('anna'))));
    await waitFor(async () => (await bench.redis.zcard('{manuel}:parked:query:anna')) === 9);
    const parked = new Set(await bench.redis.zrange('{manuel}:parked:query:anna', '0', '-1'));
    const cancelled = jobs.filter(({ id }) => parked.has(id)).slice(0, 4);
    for (const { id } of cancelled) await admitter.cancel('anna', id);
    gate.resolve();
    await waitFor(() => bench.deps.ledger.charges.size === 8);
    expect(await bench.redis.zcard('{manuel}:parked:query:anna')).toBe(0);
    await waitFor(async () => (await bench.redis.zcard('{manuel}:act:query:anna')) === 0);
    expect(await admitter.usage('anna')).toMatchObject({ daily_used: 8 });
  } finally {
    bench.deps.settings.queue.timeout_ms = 400;
  }
});

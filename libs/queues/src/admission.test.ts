import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { ManuelError } from '@manuel/contracts';
import { waitFor } from '@manuel/testing';
import { done, question, startBench, submit, type TestBench } from './test-support/bench.ts';
import { topLevelCommands } from './test-support/count-commands.ts';

let now = Date.UTC(2026, 10, 20, 12);
let bench: TestBench;
beforeAll(async () => {
  bench = await startBench(
    { quota: { daily_limit: 10, monthly_limit: 25 }, queue: { max_size: 30, max_per_user: 20, max_wait_s: 2 } },
    () => now,
  );
});
afterEach(async () => {
  now = Date.UTC(2026, 10, 20, 12);
  await bench.reset();
});
afterAll(() => bench.close());

const codeOf = (error: unknown): string => (error instanceof ManuelError ? error.code : String(error));
const outcomes = async (calls: Promise<unknown>[]): Promise<Record<string, number>> => {
  const count: Record<string, number> = {};
  for (const result of await Promise.allSettled(calls)) {
    const name = result.status === 'fulfilled' ? 'admitted' : codeOf(result.reason);
    count[name] = (count[name] ?? 0) + 1;
  }
  return count;
};

test('an admission costs two commands to Redis and one write to the ledger', async () => {
  const admitter = await bench.admitter();
  await submit(admitter, question('warm-up'));
  await submit(admitter, question('anna'));
  for (const name of Object.keys(bench.deps.ledger.calls)) delete bench.deps.ledger.calls[name];

  const commands = await topLevelCommands(bench.url, () => submit(admitter, question('anna')));
  expect(commands).toEqual(['evalsha', 'evalsha']);
  expect(bench.deps.ledger.calls).toEqual({ add: 1 });

  const keyed = question('anna', { idempotency: { key: 'k', bodySha256: 'b' } });
  expect(await topLevelCommands(bench.url, () => submit(admitter, keyed))).toEqual(['evalsha', 'evalsha']);
  expect(bench.deps.ledger.calls).toEqual({ add: 1, put: 1 });
});

test('of 200 at once with 10 left exactly 10 are admitted, over two gateways and without counters in Redis', async () => {
  const [one, two] = [await bench.admitter(), await bench.admitter()];
  const calls = Array.from({ length: 200 }, (_, i) => submit(i % 2 ? one : two, question('anna')));
  expect(await outcomes(calls)).toEqual({ admitted: 10, quota_exceeded: 190 });
  expect(await one.usage('anna')).toEqual({ daily_used: 10, daily_limit: 10, monthly_used: 10, monthly_limit: 25 });
});

test('whether a job would be admitted is told for one command, and nothing is reserved for it', async () => {
  const admitter = await bench.admitter();
  const ask = (userId = 'anna') => admitter.check({ job: 'query', operation: 'voice', userId, class: 'normal' });
  await ask();
  expect(await topLevelCommands(bench.url, () => ask())).toEqual(['evalsha']);
  for (let i = 0; i < 10; i += 1) {
    await ask();
    await submit(admitter, question('anna'));
  }
  await expect(ask()).rejects.toMatchObject({ code: 'quota_exceeded' });
  await ask('ben');
  expect(await admitter.usage('ben')).toMatchObject({ daily_used: 0, monthly_used: 0 });
  for (let i = 0; i < 20; i += 1) await submit(admitter, question(`user-${i}`));
  await expect(ask('ben')).rejects.toMatchObject({ code: 'queue_full' });
  expect(bench.deps.ledger.rows.size).toBe(30);
});

test('a completed job stays used, after Redis forgot everything too', async () => {
  const admitter = await bench.admitter();
  await bench.worker(done);
  for (let i = 0; i < 4; i += 1) await submit(admitter, question('anna'));
  await waitFor(() => bench.deps.ledger.charges.size === 4);
  await bench.redis.flushall();
  expect(await admitter.usage('anna')).toMatchObject({ daily_used: 4, monthly_used: 4 });
  await bench.redis.flushall();
  expect(await outcomes(Array.from({ length: 20 }, () => submit(admitter, question('anna'))))).toEqual({
    admitted: 6,
    quota_exceeded: 14,
  });
});

test.each([
  ['lost its counts', { day: '2026-11-20', month: '2026-11' }],
  ['lost its month', { day: '2026-11-20', d: '9', m: '9' }],
  ['lost the counts of the day before', { day: '2026-11-19', month: '2026-11', m: '9' }],
  ['was written by another version', { d: '9', m: '9', limit: '10' }],
  ['holds no numbers', { day: '2026-11-20', month: '2026-11', d: 'nine', m: 'x', dl: 'many' }],
])('a quota hash that %s is read from the ledger again', async (_what, foreign) => {
  const admitter = await bench.admitter();
  await bench.worker(done);
  for (let i = 0; i < 4; i += 1) await submit(admitter, question('anna'));
  await waitFor(() => bench.deps.ledger.charges.size === 4);
  const spoil = async (): Promise<void> => {
    await bench.redis.del('{manuel}:u:anna:quota');
    await bench.redis.hset('{manuel}:u:anna:quota', foreign);
  };
  await spoil();
  expect(await admitter.usage('anna')).toMatchObject({ daily_used: 4, daily_limit: 10, monthly_used: 4 });
  await spoil();
  expect(await outcomes(Array.from({ length: 20 }, () => submit(admitter, question('anna'))))).toEqual({
    admitted: 6,
    quota_exceeded: 14,
  });
});

test('a job that is charged already and still open is counted once, whenever the counters are read anew', async () => {
  const admitter = await bench.admitter();
  const jobs = await Promise.all(Array.from({ length: 3 }, () => submit(admitter, question('anna'))));
  const [first, second] = jobs;
  const { ledger } = bench.deps;
  for (const job of [first, second]) {
    const facts = { user_id: 'anna', job_id: job?.id ?? '', operation: 'query', usage: 'queries' } as const;
    await ledger.usage.settle({ ...facts, created_at: now, charged: true });
  }
  // Its worker is between ledger and Redis.
  await ledger.jobs.finish('anna', second?.id ?? '', { status: 'completed', finished_at: now, attempts: 1 });
  await bench.redis.del('{manuel}:u:anna:quota');
  expect(await admitter.usage('anna')).toMatchObject({ daily_used: 3, monthly_used: 3 });
  await bench.redis.flushall();
  expect(await admitter.usage('anna')).toMatchObject({ daily_used: 3, monthly_used: 3 });
  // What was charged too early comes back.
  await admitter.cancel('anna', first?.id ?? '');
  expect(await admitter.usage('anna')).toMatchObject({ daily_used: 2 });
});

test('what another version left of open jobs and turns keeps nobody from being admitted, run or cancelled', async () => {
  const admitter = await bench.admitter();
  await bench.redis.hset('{manuel}:u:anna:open', 'query_0000000000000000000000000C', 'who knows');
  await bench.redis.hset('{manuel}:fair:query:normal', { '#v': 'x', anna: 'y' });
  await bench.redis.zadd('{manuel}:w:query', now, 'query_0000000000000000000000000C');
  const jobs = await Promise.all(Array.from({ length: 4 }, () => submit(admitter, question('anna'))));
  await bench.redis.hset('{manuel}:u:anna:quota', { d: 'x' });
  await admitter.cancel('anna', jobs[0]?.id ?? '');
  expect(await admitter.usage('anna')).toMatchObject({ daily_used: 3 });
  await bench.worker(done);
  await waitFor(() => bench.deps.ledger.charges.size === 3);
  expect(await admitter.usage('anna')).toMatchObject({ daily_used: 3 });
});

test('a failed, cancelled or refused job gives its unit back', async () => {
  const admitter = await bench.admitter();
  const cancelled = await submit(admitter, question('anna'));
  await admitter.cancel('anna', cancelled.id);
  expect(await admitter.usage('anna')).toMatchObject({ daily_used: 0 });

  bench.deps.ledger.failing = 'add';
  await expect(submit(admitter, question('anna'))).rejects.toMatchObject({ code: 'unavailable' });
  bench.deps.ledger.failing = undefined;
  expect(await admitter.usage('anna')).toMatchObject({ daily_used: 0 });

  const hub = await bench.hub(admitter);
  await bench.worker(async () => {
    throw new ManuelError('no_speech', 'Nothing was said.');
  });
  const failed = await submit(admitter, question('anna'));
  expect(await hub.waitForEnd('anna', failed.id, 5000)).toMatchObject({
    status: 'failed',
    error: { code: 'no_speech' },
  });
  expect(await admitter.usage('anna')).toMatchObject({ daily_used: 0, monthly_used: 0 });
});

test('days and months turn over in UTC, and what is still open counts on its own day', async () => {
  const admitter = await bench.admitter();
  now = Date.UTC(2026, 10, 29, 23, 59);
  for (let i = 0; i < 10; i += 1) await submit(admitter, question('anna'));
  const refused: unknown = await submit(admitter, question('anna')).catch((error: unknown) => error);
  expect(refused).toMatchObject({ code: 'quota_exceeded', retryAfterMs: 60_000 });

  now = Date.UTC(2026, 10, 30, 0, 0);
  expect(await admitter.usage('anna')).toMatchObject({ daily_used: 0, monthly_used: 10 });
  for (let i = 0; i < 10; i += 1) await submit(admitter, question('anna'));

  // A gateway whose clock lags does not open yesterday again.
  now = Date.UTC(2026, 10, 29, 23, 59);
  await expect(submit(admitter, question('anna'))).rejects.toMatchObject({ code: 'quota_exceeded' });

  now = Date.UTC(2026, 11, 1);
  expect(await admitter.usage('anna')).toMatchObject({ daily_used: 0, monthly_used: 0 });
});

test('the month has a limit of its own, and Retry-After leads to its end', async () => {
  const admitter = await bench.admitter();
  await admitter.setLimits('anna', { monthly_limit: 15 });
  for (const day of [19, 20]) {
    now = Date.UTC(2026, 10, day, 12);
    await outcomes(Array.from({ length: 10 }, () => submit(admitter, question('anna'))));
  }
  expect(await admitter.usage('anna')).toMatchObject({ daily_used: 5, monthly_used: 15 });
  await expect(submit(admitter, question('anna'))).rejects.toMatchObject({
    code: 'quota_exceeded',
    retryAfterMs: Date.UTC(2026, 11, 1) - now,
  });
});

test('an override of the limits holds at once and after Redis forgot it', async () => {
  const admitter = await bench.admitter();
  await submit(admitter, question('anna'));
  await admitter.setLimits('anna', { daily_limit: 3 });
  const calls = (): Promise<unknown>[] => Array.from({ length: 5 }, () => submit(admitter, question('anna')));
  expect(await outcomes(calls())).toEqual({ admitted: 2, quota_exceeded: 3 });
  await bench.redis.flushall();
  expect(await admitter.usage('anna')).toMatchObject({ daily_used: 3, daily_limit: 3, monthly_limit: 25 });
  expect(await outcomes(calls())).toEqual({ quota_exceeded: 5 });
});

test('the system takes as many waiting jobs as it may, however many come at once', async () => {
  const admitter = await bench.admitter();
  const calls = Array.from({ length: 60 }, (_, i) => submit(admitter, question(`user${i % 10}`)));
  expect(await outcomes(calls)).toEqual({ admitted: 30, queue_full: 30 });
});

test('a user may wait with so many jobs; what runs does not count', async () => {
  const admitter = await bench.admitter();
  await admitter.setLimits('anna', { daily_limit: 1000, monthly_limit: 1000 });
  const calls = Array.from({ length: 25 }, () => submit(admitter, question('anna')));
  expect(await outcomes(calls)).toEqual({ admitted: 20, too_many_jobs: 5 });
  const gate = Promise.withResolvers<void>();
  await bench.worker(
    async (job) => {
      await gate.promise;
      return done(job);
    },
    { concurrency: 4 },
  );
  await waitFor(async () => (await bench.redis.zcard('{manuel}:act:query:anna')) === 4);
  expect(await outcomes(Array.from({ length: 6 }, () => submit(admitter, question('anna'))))).toEqual({
    admitted: 4,
    too_many_jobs: 2,
  });
  gate.resolve();
  await waitFor(() => bench.deps.ledger.charges.size === 24);
});

test('Retry-After of a full queue follows the observed rate of completion', async () => {
  const admitter = await bench.admitter();
  const refusedAt = async (perS: number): Promise<number> => {
    await bench.redis.hset('{manuel}:rate:query', { at: now, count: 0, per_s: perS });
    const error: unknown = await submit(admitter, question('late')).catch((refused: unknown) => refused);
    expect(error).toMatchObject({ code: 'queue_full' });
    return (error as ManuelError).retryAfterMs ?? 0;
  };
  await outcomes(Array.from({ length: 40 }, (_, i) => submit(admitter, question(`user${i}`))));
  expect(await refusedAt(0.1)).toBe(30_000);
  expect(await refusedAt(1)).toBe(3000);
  expect(await refusedAt(100)).toBe(1000);
});

test('the rate of completion is measured by the workers', async () => {
  const admitter = await bench.admitter();
  await bench.worker(done);
  let users = 0;
  await waitFor(async () => {
    now += 100;
    await submit(admitter, question(`user${(users += 1)}`));
    return Number(await bench.redis.hget('{manuel}:rate:query', 'per_s')) > 0;
  });
});

test('a cached answer costs nothing and enqueues nothing', async () => {
  const admitter = await bench.admitter();
  const cacheKey = { versionKey: '{manuel}:v', prefix: '{manuel}:c:', suffix: ':q' };
  const value = Buffer.from([0x1f, 0x8b, 0xff, 0x00, 0x80]);
  const ask = () => admitter.admit(question('anna', { cacheKey }));
  expect(await ask()).toMatchObject({ kind: 'job' });
  await bench.redis.set('{manuel}:c:7:q', value);
  expect(await ask()).toMatchObject({ kind: 'job' });
  await bench.redis.set('{manuel}:v', '7');
  const cached = await ask();
  expect(cached).toMatchObject({ kind: 'cached', value });
  expect(cached.kind === 'cached' && (await cached.usage())).toEqual(await admitter.usage('anna'));
  expect(await admitter.usage('anna')).toMatchObject({ daily_used: 2 });
  await bench.redis.set('{manuel}:v', '8');
  expect(await ask()).toMatchObject({ kind: 'job' });
});

test('while Redis is stopped or gone every call says so within a second, and works again when it is back', async () => {
  const admitter = await bench.admitter();
  const quickly = async (): Promise<void> => {
    const start = Date.now();
    await expect(submit(admitter, question('anna'))).rejects.toMatchObject({ code: 'unavailable' });
    await expect(admitter.view('anna', 'query_00000000000000000000000000')).rejects.toMatchObject({
      code: 'unavailable',
    });
    expect(Date.now() - start).toBeLessThan(2000);
  };
  await bench.server.stop('SIGSTOP');
  await quickly();
  await bench.server.start();
  await waitFor(() => submit(admitter, question('anna')));
  await bench.server.stop('SIGKILL');
  await quickly();
  await bench.server.start();
  await waitFor(() => submit(admitter, question('anna')));
});

test('a gateway that starts before Redis works once it is there', async () => {
  await bench.server.stop('SIGKILL');
  const admitter = await bench.admitter();
  await expect(submit(admitter, question('anna'))).rejects.toMatchObject({ code: 'unavailable' });
  await bench.server.start();
  await waitFor(() => submit(admitter, question('anna')));
});

test('the system’s own work is free and knows no limits', async () => {
  const admitter = await bench.admitter();
  const { idempotency: _none, ...request } = question('anna');
  for (let i = 0; i < 40; i += 1) await admitter.enqueueInternal(request);
  expect(await admitter.usage('anna')).toMatchObject({ daily_used: 0 });
  const jobId = 'query_0000000000000000000000000A';
  await admitter.enqueueInternal({ ...request, jobId });
  await admitter.enqueueInternal({ ...request, jobId });
  expect([...bench.deps.ledger.rows.values()].filter((row) => row.job_id === jobId)).toHaveLength(1);
  await bench.worker(done);
  await waitFor(async () => (await admitter.view('anna', jobId))?.status === 'completed');
  expect(bench.deps.ledger.charges.size).toBe(0);
  expect(await admitter.usage('anna')).toMatchObject({ daily_used: 0 });
});

import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { waitFor } from '@manuel/testing';
import type { AdmitRequest } from './types.ts';
import { done, question, startBench, submit, type TestBench } from './test-support/bench.ts';

const noon = Date.UTC(2026, 10, 20, 12);
const dayMs = 86_400_000;
let now = noon;
let bench: TestBench;
beforeAll(async () => {
  bench = await startBench({ quota: { daily_limit: 5 } }, () => now);
});
afterEach(async () => {
  now = noon;
  await bench.reset();
});
afterAll(() => bench.close());

const keyed = (key = 'key-1', bodySha256 = 'body-1', userId = 'anna'): AdmitRequest<'query'> =>
  question(userId, { idempotency: { key, bodySha256 } });
const rows = () => [...bench.deps.ledger.rows.values()];

test('100 at once with one key, over two gateways, make one job and one charge', async () => {
  const [one, two] = [await bench.admitter(), await bench.admitter()];
  const admissions = await Promise.all(Array.from({ length: 100 }, (_, i) => (i % 2 ? one : two).admit(keyed())));
  const ids = new Set(admissions.map((admission) => (admission.kind === 'job' ? admission.view.id : admission.kind)));
  expect(ids.size).toBe(1);
  expect(admissions.filter((admission) => admission.kind === 'job' && !admission.replayed)).toHaveLength(1);
  expect(rows()).toHaveLength(1);
  expect(await one.usage('anna')).toMatchObject({ daily_used: 1 });

  await bench.worker(done);
  await waitFor(() => bench.deps.ledger.charges.size === 1);
  expect(bench.deps.ledger.calls['finish']).toBe(1);
  expect(await one.admit(keyed())).toMatchObject({ replayed: true, view: { status: 'completed' } });
  expect(await one.usage('anna')).toMatchObject({ daily_used: 1 });
});

test('the same with Redis emptied in their midst', async () => {
  const admitter = await bench.admitter();
  const calls = Array.from({ length: 50 }, () => submit(admitter, keyed()));
  await bench.redis.flushall();
  calls.push(...Array.from({ length: 50 }, () => submit(admitter, keyed())));
  const ids = new Set((await Promise.all(calls)).map(({ id }) => id));
  expect(ids.size).toBe(1);
  expect(rows()).toHaveLength(1);
});

test('another body is refused, also when Redis forgot the key and the job has ended', async () => {
  const admitter = await bench.admitter();
  const first = await submit(admitter, keyed());
  const other = keyed('key-1', 'body-2');
  await expect(submit(admitter, other)).rejects.toMatchObject({ code: 'idempotency_mismatch' });
  await bench.redis.flushall();
  await expect(submit(admitter, other)).rejects.toMatchObject({ code: 'idempotency_mismatch' });
  await admitter.cancel('anna', first.id);
  await bench.redis.flushall();
  await expect(submit(admitter, other)).rejects.toMatchObject({ code: 'idempotency_mismatch' });
  // Nothing stays reserved for the refused.
  expect(await admitter.usage('anna')).toMatchObject({ daily_used: 0 });
});

test('a key belongs to one user and one operation', async () => {
  const admitter = await bench.admitter();
  const mine = await submit(admitter, keyed());
  const theirs = await submit(admitter, keyed('key-1', 'body-2', 'berta'));
  expect(theirs.id).not.toBe(mine.id);
  expect(await admitter.view('anna', theirs.id)).toBeUndefined();
});

test('a replay is answered though the quota is used up and Redis knows nothing', async () => {
  const admitter = await bench.admitter();
  const first = await submit(admitter, keyed());
  for (let i = 0; i < 4; i += 1) await submit(admitter, question('anna'));
  await expect(submit(admitter, question('anna'))).rejects.toMatchObject({ code: 'quota_exceeded' });
  expect((await submit(admitter, keyed())).id).toBe(first.id);
  await bench.redis.flushall();
  expect((await submit(admitter, keyed())).id).toBe(first.id);
  expect(await admitter.usage('anna')).toMatchObject({ daily_used: 5 });
});

test('after 24 hours the key makes a new job, and another after 24 more', async () => {
  const admitter = await bench.admitter();
  const ids = new Set<string>();
  for (const day of [0, 1, 2]) {
    now = noon + day * dayMs;
    // Redis lets its entry lapse by the real clock; here it is told.
    await bench.redis.flushall();
    ids.add((await submit(admitter, keyed())).id);
    ids.add((await submit(admitter, keyed())).id);
    await bench.redis.flushall();
    ids.add((await submit(admitter, keyed())).id);
  }
  expect(ids.size).toBe(3);
});

test('a job that could not be stored leaves its key free for another try', async () => {
  const admitter = await bench.admitter();
  bench.deps.ledger.failing = 'put';
  await expect(submit(admitter, keyed())).rejects.toMatchObject({ code: 'unavailable' });
  bench.deps.ledger.failing = undefined;
  expect(await submit(admitter, keyed('key-1', 'body-2'))).toMatchObject({ status: 'queued' });
  expect(await admitter.usage('anna')).toMatchObject({ daily_used: 1 });
});

test('an answer that was there at once is given again for 24 hours, then another may take its place', async () => {
  const [one, two] = [await bench.admitter(), await bench.admitter()];
  const idempotency = { key: 'key-1', bodySha256: 'body-1' };
  const request = { ...keyed(), idempotency };
  const kept = (n: number, admitter = one) => admitter.keepAnswer(request, { n });
  const outcomes = await Promise.all([kept(1), kept(2, two)]);
  expect(outcomes.filter((outcome) => outcome === undefined)).toHaveLength(1);
  const first = await one.admit(keyed());
  expect(first).toMatchObject({ replayed: true, answeredStatus: 200, view: { status: 'completed', attempts: 0 } });
  expect(outcomes.find((outcome) => outcome)).toMatchObject({ answeredStatus: 200 });
  await expect(
    one.keepAnswer({ ...request, idempotency: { ...idempotency, bodySha256: 'body-2' } }, {}),
  ).rejects.toMatchObject({ code: 'idempotency_mismatch' });
  for (const n of [3, 4]) {
    now += dayMs + 1;
    await bench.redis.flushall();
    expect(await kept(n)).toBeUndefined();
    for (const admitter of [one, two]) {
      expect(await admitter.admit(keyed())).toMatchObject({ answeredStatus: 200, view: { result: { n } } });
    }
  }
  expect(await one.usage('anna')).toMatchObject({ daily_used: 0 });
});

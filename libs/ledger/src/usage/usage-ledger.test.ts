import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { newJobId, type Operation } from '@manuel/contracts';
import * as fc from 'fast-check';
import type { LocalDynamo } from '../test-support/local-dynamo.ts';
import { startTestLedger } from '../test-support/test-ledger.ts';
import type { Ledger } from '../types.ts';

const now = Date.UTC(2026, 10, 20, 23, 30);
const dayMs = 86_400_000;
let dynamo: LocalDynamo;
let ledger: Ledger;
let close: () => Promise<void>;
let users = 0;
let user: string;

beforeAll(async () => {
  ({ dynamo, ledger, close } = await startTestLedger(process.env));
});
afterAll(() => close());
beforeEach(() => {
  user = `user-${(users += 1)}`;
  dynamo.answer = undefined;
});

const usageOf: Record<string, 'queries' | 'transcriptions' | null> = {
  query: 'queries',
  voice: 'queries',
  transcribe: 'transcriptions',
  ingest: null,
};
const job = (operation: Operation, change: { created_at?: number; job_id?: string } = {}) => ({
  user_id: user,
  job_id: newJobId(operation),
  operation,
  usage: usageOf[operation] ?? null,
  created_at: now,
  ...change,
});

test('settling is exactly once, under any order, repetition and company', async () => {
  const calls = fc.array(fc.record({ job: fc.nat(3), charged: fc.boolean() }), { minLength: 1, maxLength: 12 });
  await fc.assert(
    fc.asyncProperty(calls, async (settles) => {
      user = `user-${(users += 1)}`;
      const jobs = (['query', 'voice', 'transcribe', 'ingest'] as const).map((operation) => job(operation));
      // Together: whatever happens meanwhile, the counters must agree with the last word on each job.
      await Promise.all(
        settles.map(({ job: index, charged }) =>
          ledger.usage.settle({ ...(jobs[index] ?? job('query')), charged, tokens: { input: 10, output: 3 } }),
        ),
      );
      const last = new Map(settles.map((one) => [one.job, one.charged]));
      for (const [index, charged] of last) {
        await ledger.usage.settle({ ...(jobs[index] ?? job('query')), charged, tokens: { input: 10, output: 3 } });
      }
      const chargedJobs = jobs.filter((_one, index) => last.get(index));
      const count = (keep: (operation: string) => boolean): number =>
        chargedJobs.filter((one) => keep(one.operation)).length;
      expect(await ledger.usage.totals(user, now)).toEqual({
        daily_used: count((operation) => operation !== 'ingest'),
        monthly_used: count((operation) => operation !== 'ingest'),
        charged: [],
      });
      const ids = jobs.map(({ job_id }) => job_id);
      const about = Array.from({ length: 500 }, (_none, n) => `query_${n}`);
      expect((await ledger.usage.totals(user, now, [...ids, ...about])).charged.toSorted()).toEqual(
        chargedJobs.map(({ job_id }) => job_id).toSorted(),
      );
      const { days, by_operation } = await ledger.usage.history(user, 32, now);
      expect(by_operation).toEqual(Object.fromEntries(chargedJobs.map((one) => [one.operation, 1])));
      if (chargedJobs.length > 0) {
        expect(days).toEqual([
          {
            date: '2026-11-20',
            queries: count((operation) => operation === 'query' || operation === 'voice'),
            transcriptions: count((operation) => operation === 'transcribe'),
            ingestions: count((operation) => operation === 'ingest'),
            tokens_in: chargedJobs.length * 10,
            tokens_out: chargedJobs.length * 3,
          },
        ]);
      }
    }),
    { numRuns: 40 },
  );
});

test('a charge whose answer is lost counts once', async () => {
  let lost = 0;
  dynamo.answer = (operation, body) => (operation === 'UpdateItem' && (lost += 1) === 1 ? undefined : body);
  await ledger.usage.settle({ ...job('query'), charged: true });
  expect(lost).toBe(2);
  expect((await ledger.usage.totals(user, now)).daily_used).toBe(1);
});

test('taking back what was never charged writes nothing', async () => {
  dynamo.calls.clear();
  await ledger.usage.settle({ ...job('query'), charged: false });
  expect(dynamo.calls.get('UpdateItem')).toBeUndefined();
  expect(await ledger.usage.history(user, 32, now)).toEqual({ days: [], by_operation: {} });
});

test('days and months are UTC’s own, and users’ counts are their own', async () => {
  const at = [now, now - dayMs, now - 19 * dayMs, now - 20 * dayMs];
  for (const created_at of at) await ledger.usage.settle({ ...job('query', { created_at }), charged: true });
  // 20 November is today, 1 November is 19 days ago, 31 October belongs to another month.
  expect(await ledger.usage.totals(user, now)).toMatchObject({ daily_used: 1, monthly_used: 3 });
  expect(await ledger.usage.totals(user, now + 3_600_000)).toMatchObject({ daily_used: 0, monthly_used: 3 });
  expect((await ledger.usage.history(user, 2, now)).days.map((day) => day.date)).toEqual(['2026-11-19', '2026-11-20']);
  expect(await ledger.usage.totals('nobody', now)).toEqual({ daily_used: 0, monthly_used: 0, charged: [] });
});

test('a user’s own limits replace the ones before', async () => {
  expect(await ledger.usage.limits(user)).toEqual({});
  await ledger.usage.setLimits(user, { daily_limit: 5, monthly_limit: 50 });
  await ledger.usage.setLimits(user, { daily_limit: 0 });
  expect(await ledger.usage.limits(user)).toEqual({ daily_limit: 0 });
});

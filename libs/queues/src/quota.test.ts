import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { isTerminal, ManuelError } from '@manuel/contracts';
import { waitFor } from '@manuel/testing';
import * as fc from 'fast-check';
import { dayOf } from './clock.ts';
import { answered, question, startBench, submit, type TestBench } from './test-support/bench.ts';

const limit = 6;
const dayMs = 86_400_000;
let now = Date.UTC(2026, 10, 3, 12);
let bench: TestBench;
beforeAll(async () => {
  bench = await startBench({ quota: { daily_limit: limit }, queue: { max_wait_s: 600 } }, () => now);
});
afterAll(() => bench.close());

const rows = () => [...bench.deps.ledger.rows.values()];
const open = () => rows().filter((row) => !isTerminal(row.status));

/** Runs what is open to its end, each job as its question says. */
async function work(): Promise<void> {
  const worker = await bench.worker(async (job) => {
    if (job.payload.question === 'fails') throw new ManuelError('validation_failed', 'It had to fail.');
    return { kind: 'done', result: answered(), charged: job.payload.question !== 'free' };
  });
  const janitor = await bench.janitor();
  await waitFor(async () => {
    // The sweeper looks at what is older than now.
    now += 1;
    if (open().length > 0) await janitor.sweep();
    return open().length === 0;
  });
  await worker.close(5000);
  await janitor.close();
}

const step = fc.oneof(
  { weight: 4, arbitrary: fc.record({ ask: fc.array(fc.constantFrom('good', 'fails', 'free'), { maxLength: 12 }) }) },
  { weight: 2, arbitrary: fc.constant('work' as const) },
  { weight: 1, arbitrary: fc.constant('cancel' as const) },
  { weight: 1, arbitrary: fc.constant('flush' as const) },
  { weight: 1, arbitrary: fc.constant('next day' as const) },
);

test('whatever happens, nobody gets more than the quota, and in the end the counters say what was charged', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 3, maxLength: 8 }), async (steps) => {
      await bench.reset();
      now = Date.UTC(2026, 10, 3, 12);
      const admitter = await bench.admitter();
      for (const action of steps) {
        if (typeof action === 'object') {
          await Promise.allSettled(action.ask.map((text) => submit(admitter, question('anna', { text }))));
        } else if (action === 'work') {
          await work();
        } else if (action === 'cancel') {
          await Promise.allSettled(open().map((row) => admitter.cancel('anna', row.job_id)));
        } else if (action === 'flush') {
          await bench.redis.flushall();
        } else {
          // What waits for a day expires; nothing here is meant to.
          await work();
          now += dayMs;
        }
        for (const day of new Set(rows().map((row) => dayOf(row.created_at)))) {
          const charged = [...bench.deps.ledger.charges.values()].filter((charge) => charge.day === day).length;
          const pending = open().filter((row) => dayOf(row.created_at) === day).length;
          expect(charged + pending).toBeLessThanOrEqual(limit);
        }
      }
      await work();
      // Entries of jobs that ended while Redis was being emptied are dropped by the sweeper's second look.
      const janitor = await bench.janitor();
      const today = [...bench.deps.ledger.charges.values()].filter(({ day }) => day === dayOf(now)).length;
      await waitFor(async () => {
        now += 1;
        await janitor.sweep();
        return (await admitter.usage('anna')).daily_used === today;
      });
      expect(await admitter.usage('anna')).toMatchObject({ monthly_used: bench.deps.ledger.charges.size });
    }),
    { numRuns: 20 },
  );
}, 60_000);

test('counters that Redis lost are read from the ledger once, however many ask', async () => {
  await bench.reset();
  const admitter = await bench.admitter();
  await submit(admitter, question('anna'));
  await bench.redis.flushall();
  const { calls } = bench.deps.ledger;
  const before = { ...calls };
  const outcomes = await Promise.allSettled(Array.from({ length: 50 }, () => submit(admitter, question('anna'))));
  expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(limit - 1);
  const since = (name: string): number => (calls[name] ?? 0) - (before[name] ?? 0);
  expect([since('openOf'), since('totals'), since('limits')]).toEqual([1, 1, 1]);
});

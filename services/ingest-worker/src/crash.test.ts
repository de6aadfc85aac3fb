import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type JobPayload, newJobId, newManualId } from '@manuel/contracts';
import { assert, asyncProperty, boolean, integer } from 'fast-check';
import type { Context } from './context.ts';
import { abandonIngest } from './domain/abandon-ingest.ts';
import { deleteManual } from './domain/delete-manual.ts';
import { ingestManual } from './domain/ingest-manual.ts';
import type { Outside, StepOutcome, Work } from './domain/outside.ts';
import { reconcile } from './entry/reconcile.ts';
import { type Bench, startBench } from './test-support/bench.ts';

let bench: Bench;
let context: Context;
beforeAll(async () => {
  bench = await startBench(
    process.env,
    { ingest: { poll_initial_ms: 5, batch_window_ms: 0, calls_per_s: 1000, probes_per_s: 1000 } },
    { workers: 0 },
  );
  ({ context } = await bench.worker());
});
afterAll(() => bench.close());

/** The process is gone: nothing after it happens, no handler, no cleaning up. */
class Killed extends Error {}

/**
 * The same outside, except that the process dies around the n-th thing it does there: before it, or (`after`) when it is done
 * but nobody has heard of it. `acts` counts; everything is a step between which a kill may come.
 */
function dying(outside: Outside, at: number, after: boolean): { outside: Outside; acts: () => number } {
  let acts = 0;
  const guard = <T extends object>(target: T): T =>
    new Proxy(target, {
      get(whole, name) {
        const value: unknown = Reflect.get(whole, name);
        if (typeof value !== 'function') return value;
        return (...args: unknown[]): unknown => {
          acts += 1;
          const mine = acts;
          if (mine === at && !after) throw new Killed();
          const result: unknown = Reflect.apply(value, whole, args);
          if (!(result instanceof Promise)) return result;
          return result.then((done: unknown) => {
            if (mine === at) throw new Killed();
            return done;
          });
        };
      },
    });
  const { s3, ledger, index, followers } = outside;
  return {
    acts: () => acts,
    outside: {
      ...outside,
      s3: guard(s3),
      index: guard(index),
      followers: guard(followers),
      ledger: { ...ledger, manuals: guard(ledger.manuals), jobs: ledger.jobs },
    },
  };
}

type Verb<N extends 'ingest' | 'delete-manual'> = (outside: Outside, work: Work<N>) => Promise<StepOutcome<unknown>>;

/** Runs a step job as the queue does: step after step, once more from the last step's memory when the process died. */
async function run<N extends 'ingest' | 'delete-manual'>(
  verb: Verb<N>,
  job: { userId: string; payload: JobPayload<N> },
  deaths: { at: number; after: boolean }[],
): Promise<number> {
  let step: Record<string, unknown> = {};
  let acts = 0;
  const pending = [...deaths];
  for (;;) {
    const death = pending[0];
    const life = dying(context, death ? death.at - acts : -1, death?.after ?? false);
    const work: Work<N> = {
      jobId: newJobId('ingest'),
      ...job,
      step,
      signal: new AbortController().signal,
      progress: () => Promise.resolve(),
    };
    try {
      const outcome = await verb(life.outside, work);
      if (outcome.kind === 'done') return acts + life.acts();
      step = outcome.step;
      acts += life.acts();
      await new Promise((resolve) => setTimeout(resolve, Math.min(outcome.delayMs, 20)));
    } catch (error) {
      if (!(error instanceof Killed)) throw error;
      pending.shift();
      acts = 0;
      await noneIsSearchableWithoutOwner();
    }
  }
}

/** Whatever happens: what the index holds has its owner's name, and so has every stored document. */
async function noneIsSearchableWithoutOwner(): Promise<void> {
  const keys = new Set(await bench.keys('manuals/'));
  for (const key of keys) if (!key.endsWith('.metadata.json')) expect(keys).toContain(`${key}.metadata.json`);
  for (const { metadata } of await bench.searchAll('kettle button water')) {
    expect(metadata).toMatchObject({ user_id: expect.any(String), manual_id: expect.stringMatching(/^man_/) });
  }
}

async function upload(userId: string, topic: string): Promise<{ userId: string; payload: JobPayload<'ingest'> }> {
  const manualId = newManualId();
  const key = `uploads/${userId}/${manualId}`;
  const body = `${topic} Press the kettle button ${topic} and boil the water. `.repeat(10);
  const { etag } = await context.s3.putObject({ bucket: 'manuel-manuals', key, body, contentType: 'text/plain' });
  return {
    userId,
    payload: {
      manual_id: manualId,
      filename: `${topic}.txt`,
      upload_method: 'body',
      source: { kind: 'object', key, etag },
    },
  };
}

const disagreements = async () => (await reconcile(context, { mend: false, graceMs: -1 })).findings;

test('a kill between any two steps leaves nothing searchable without its owner, and the next run finishes cleanly', async () => {
  const counted = await run(ingestManual, await upload('count', 'count'), []);
  expect(counted).toBeGreaterThan(10);
  // The search by which the rest is judged does find what is there.
  expect(await bench.searchAll('kettle button water')).not.toEqual([]);
  let runs = 0;
  const twice = asyncProperty(
    integer({ min: 1, max: counted }),
    boolean(),
    integer({ min: 1, max: counted }),
    async (first, after, second) => {
      const userId = `user${(runs += 1)}`;
      const job = await upload(userId, `t${runs}`);
      await run(ingestManual, job, [
        { at: first, after },
        { at: second, after: !after },
      ]);
      expect(await context.ledger.manuals.get(userId, job.payload.manual_id)).toMatchObject({ status: 'ready' });
      expect(await bench.keys(`uploads/${userId}/`)).toEqual([]);
      const remove = { userId, payload: { manual_id: job.payload.manual_id } };
      await run(deleteManual, remove, [{ at: 1 + (first % 12), after }]);
      expect(await context.ledger.manuals.get(userId, job.payload.manual_id)).toBeUndefined();
      expect(await bench.keys(`manuals/${userId}/`)).toEqual([]);
    },
  );
  // Every place once, before and after; the second kill wherever chance puts it.
  const everywhere = Array.from({ length: counted }, (_, index): [number, boolean, number][] => [
    [index + 1, false, 1 + ((index * 7) % counted)],
    [index + 1, true, 1 + ((index * 5) % counted)],
  ]).flat();
  await assert(twice, { examples: everywhere, numRuns: everywhere.length + 5 });
  expect(await disagreements()).toEqual([]);
}, 60_000);

test('an ingest that is killed and then given up leaves no orphan', async () => {
  for (let at = 1; at <= 16; at += 1) {
    const userId = `given-up-${at}`;
    const job = await upload(userId, `given up ${at}`);
    const life = dying(context, at, at % 2 === 0);
    const work: Work<'ingest'> = {
      jobId: newJobId('ingest'),
      ...job,
      step: {},
      signal: new AbortController().signal,
      progress: () => Promise.resolve(),
    };
    await ingestManual(life.outside, work).catch((error: unknown) => {
      if (!(error instanceof Killed)) throw error;
    });
    await abandonIngest(context, { jobId: work.jobId, ...job, status: 'failed' });
    await abandonIngest(context, { jobId: work.jobId, ...job, status: 'failed' });
    const row = await context.ledger.manuals.get(userId, job.payload.manual_id);
    expect(row?.status ?? 'failed').toBe('failed');
    expect(await bench.keys(`uploads/${userId}/`)).toEqual([]);
    // What is kept is kept for another try, under its owner's name; the rest is gone.
    expect((await bench.keys(`manuals/${userId}/`)).length).toBe(row?.s3_key === undefined ? 0 : 2);
  }
  await noneIsSearchableWithoutOwner();
  expect((await disagreements()).filter(({ kind }) => kind !== 'index_without_object')).toEqual([]);
}, 60_000);

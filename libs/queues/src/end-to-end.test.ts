import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import type { StoredEvent } from '@manuel/contracts';
import { waitFor } from '@manuel/testing';
import { answered, done, question, startBench, submit, type TestBench } from './test-support/bench.ts';

let bench: TestBench;
beforeAll(async () => {
  bench = await startBench();
});
afterEach(() => bench.reset());
afterAll(() => bench.close());

test('a question is admitted, answered, charged once and told to its owner', async () => {
  const admitter = await bench.admitter();
  const hub = await bench.hub(admitter);
  const seen: StoredEvent[] = [];
  await hub.subscribe('anna', (stored) => seen.push(stored));
  await bench.worker(async (job) => {
    await job.progress({ step: 'retrieving', percent: 20 });
    for (const piece of ['Press ', 'the ', 'button.']) job.token(piece);
    return { kind: 'done', result: answered(), tokens: { input: 10, output: 3 } };
  });

  const queued = await submit(admitter, question('anna'));
  expect(queued).toMatchObject({ status: 'queued', attempts: 0, started_at: null, progress: { percent: 0 } });
  const ended = await hub.waitForEnd('anna', queued.id, 5000);

  expect(ended).toMatchObject({
    id: queued.id,
    status: 'completed',
    attempts: 1,
    result: { answer: 'Press the button.', usage: { daily_used: 1, daily_limit: 1000 } },
    error: null,
    progress: { step: 'done', percent: 100 },
  });
  expect(await admitter.view('anna', queued.id)).toEqual(ended);
  expect(await admitter.view('berta', queued.id)).toBeUndefined();
  expect([...bench.deps.ledger.charges.keys()]).toEqual([queued.id]);
  expect(await admitter.usage('anna')).toMatchObject({ daily_used: 1, monthly_used: 1 });

  await waitFor(() => seen.some(({ event }) => event.type === 'job' && event.job.status === 'completed'));
  expect(seen.map(({ event }) => (event.type === 'job' ? event.job.status : event.type))).toEqual([
    'active',
    'progress',
    ...seen.filter(({ event }) => event.type === 'token').map(() => 'token'),
    'completed',
  ]);
  expect(seen.flatMap(({ event }) => (event.type === 'token' ? [event.text] : [])).join('')).toBe('Press the button.');
});

test('a thousand questions in a burst are each answered once', async () => {
  const admitter = await bench.admitter();
  await bench.worker(done, { concurrency: 50 });
  const users = Array.from({ length: 100 }, (_, i) => `user${i}`);
  const views = await Promise.all(users.flatMap((user) => [1, 2, 3].map(() => submit(admitter, question(user)))));
  await waitFor(() => bench.deps.ledger.charges.size === views.length);
  expect(bench.deps.ledger.calls['finish']).toBe(views.length);
});

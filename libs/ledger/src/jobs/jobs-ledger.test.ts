import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { ManuelError } from '@manuel/contracts';
import * as fc from 'fast-check';
import { createLedger } from '../ledger.ts';
import { type LocalDynamo, refuse } from '../test-support/local-dynamo.ts';
import { newRow } from '../test-support/rows.ts';
import { startTestLedger, testDependencies } from '../test-support/test-ledger.ts';
import type { JobRow, Ledger, NewJobRow, Outcome } from '../types.ts';

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
  dynamo.fault = undefined;
  dynamo.answer = undefined;
  dynamo.calls.clear();
});

const outcome = (change: Partial<Outcome> = {}): Outcome => ({
  status: 'completed',
  finished_at: 2000,
  attempts: 1,
  result: { answer: 'Twice a month.' },
  ...change,
});
async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const list: T[] = [];
  for await (const item of items) list.push(item);
  return list;
}
const ids = (rows: readonly (JobRow | NewJobRow)[]): string[] => rows.map((row) => row.job_id);

test('tables can be made by many at once and again; ping tells whether they are there', async () => {
  const fresh = testDependencies({ ledger: { table_prefix: 'fresh' } });
  const five = Array.from({ length: 5 }, () => createLedger(fresh));
  await expect(five[0]?.ping()).rejects.toMatchObject({ code: 'unavailable' });
  await Promise.all(five.map((one) => one.createTables()));
  await Promise.all(five.map((one) => one.ping()));
  await Promise.all(five.map((one) => one.close()));
});

test('a row comes back as it was given, open and queued', async () => {
  const row = newRow(user, { traceparent: '00-aa-bb-01', payload: { question: 'é ☕', deep: [[[{ n: 0.1 }]]] } });
  await ledger.jobs.add(row);
  expect(await ledger.jobs.get(user, row.job_id)).toEqual({
    ...row,
    status: 'queued',
    attempts: 0,
    open: expect.stringMatching(/^[0-7]$/),
  });
  expect(await ledger.jobs.get('somebody-else', row.job_id)).toBeUndefined();
});

test('a lone row is written at once, a burst goes in few batches of at most 25', async () => {
  await ledger.jobs.add(newRow(user));
  expect(dynamo.calls.get('BatchWriteItem')).toBe(1);
  const rows = Array.from({ length: 250 }, () => newRow(user));
  await Promise.all(rows.map((row) => ledger.jobs.add(row)));
  // Ten full batches are the least; on a busy machine some leave before they are full, but far from one a row.
  expect(dynamo.calls.get('BatchWriteItem')).toBeLessThanOrEqual(1 + 25);
  expect(ids(await ledger.jobs.openOf(user)).sort()).toHaveLength(251);
});

test('a batch that DynamoDB takes only in part is completed; what never gets in is told so', async () => {
  const rows = Array.from({ length: 30 }, () => newRow(user));
  const unlucky = rows[7];
  let partial = 0;
  dynamo.answer = (operation, body) => {
    const left = operation === 'BatchWriteItem' && (partial += 1) > 0;
    if (!left || unlucky === undefined) return body;
    const item = { user_id: { S: user }, job_id: { S: unlucky.job_id } };
    return JSON.stringify({ UnprocessedItems: { 'manuel-jobs': [{ PutRequest: { Item: item } }] } });
  };
  const answers = await Promise.allSettled(rows.map((row) => ledger.jobs.add(row)));
  expect(answers.map((answer) => answer.status)).toEqual(
    rows.map((row) => (row === unlucky ? 'rejected' : 'fulfilled')),
  );
  expect(answers[7]).toMatchObject({ reason: { code: 'unavailable' } });
  expect(partial).toBeGreaterThan(2);
});

test('a row that DynamoDB refuses fails alone', async () => {
  const rows = [newRow(user), ...Array.from({ length: 10 }, () => newRow(user)), newRow('')];
  const answers = await Promise.allSettled(rows.map((row) => ledger.jobs.add(row)));
  expect(answers.filter((answer) => answer.status === 'rejected')).toEqual([
    expect.objectContaining({ reason: expect.objectContaining({ code: 'internal' }) }),
  ]);
  expect(answers.at(-1)?.status).toBe('rejected');
  expect(await ledger.jobs.openOf(user)).toHaveLength(11);
});

test('a row of a key that DynamoDB refuses fails alone, also where it refuses the whole call', async () => {
  const rows = [newRow(user), ...Array.from({ length: 10 }, () => newRow(user)), newRow('')];
  let refused = 0;
  dynamo.fault = (operation, request, response) => {
    const several = operation === 'BatchExecuteStatement' && Number(request.headers['content-length']) > 3000;
    if (several) refused += 1;
    return several && refuse(response, 'ValidationException');
  };
  const answers = await Promise.allSettled(rows.map((row) => ledger.jobs.put(row)));
  expect(refused).toBeGreaterThan(0);
  expect(answers.map((answer) => answer.status)).toEqual(rows.map((row) => (row.user_id ? 'fulfilled' : 'rejected')));
  expect(answers.at(-1)).toMatchObject({ reason: { code: 'internal' } });
  expect(await ledger.jobs.openOf(user)).toHaveLength(11);
});

test('a request is told within a second when DynamoDB is silent, throttles or cuts the line', async () => {
  const faults: LocalDynamo['fault'][] = [
    () => true,
    (_operation, _request, response) => refuse(response, 'ThrottlingException'),
    (_operation, _request, response) => refuse(response, 'InternalServerError', 500),
    (_operation, request) => (request.socket.destroy(), true),
  ];
  for (const fault of faults) {
    dynamo.fault = fault;
    const started = performance.now();
    await expect(ledger.jobs.add(newRow(user))).rejects.toMatchObject({ code: 'unavailable', retryAfterMs: 2000 });
    expect(performance.now() - started).toBeLessThan(1100);
  }
});

test('passing trouble is not noticed', async () => {
  let trouble = 0;
  dynamo.fault = (_operation, _request, response) =>
    (trouble += 1) % 3 === 1 && refuse(response, 'ProvisionedThroughputExceededException');
  const row = newRow(user);
  await ledger.jobs.add(row);
  expect((await ledger.jobs.finish(user, row.job_id, outcome())).won).toBe(true);
  expect(trouble).toBeGreaterThan(2);
});

test('an outcome keeps how far the job came', async () => {
  const row = newRow(user);
  await ledger.jobs.add(row);
  const progress = { step: 'transcribing', percent: 30, transcription: 'How often' };
  await ledger.jobs.finish(user, row.job_id, { status: 'failed', finished_at: 2000, attempts: 1, progress });
  expect(await ledger.jobs.get(user, row.job_id)).toMatchObject({ status: 'failed', progress });
});

test('a start is noted of an open job, and of no other', async () => {
  const row = newRow(user);
  await ledger.jobs.add(row);
  expect(await ledger.jobs.started(user, row.job_id, 1234)).toBe(true);
  expect(await ledger.jobs.get(user, row.job_id)).toMatchObject({ status: 'queued', started_at: 1234 });
  await ledger.jobs.finish(user, row.job_id, outcome());
  expect(await ledger.jobs.started(user, row.job_id, 5678)).toBe(false);
  expect(await ledger.jobs.get(user, row.job_id)).toMatchObject({ status: 'completed', started_at: 1234 });
});

test('an Idempotency-Key’s row is made once; the others see it', async () => {
  const row = newRow(user, { body_sha256: 'ab', answered_status: 202 });
  const outcomes = await Promise.all(Array.from({ length: 8 }, () => ledger.jobs.put(row)));
  expect(outcomes.filter((one) => one.created)).toHaveLength(1);
  expect(outcomes.filter((one) => !one.created)[0]).toMatchObject({ existing: { body_sha256: 'ab' } });
});

test('rows of keys go in few calls, and each stands by itself', async () => {
  const there = [newRow(user), newRow(user)] as const;
  await Promise.all(there.map((row) => ledger.jobs.add(row)));
  const rows = Array.from({ length: 96 }, () => newRow(user));
  const refused = newRow('');
  let throttled = 0;
  dynamo.answer = (operation, body) => {
    if (operation !== 'BatchExecuteStatement') return body;
    const answer = JSON.parse(body) as { Responses: object[] };
    // Once in each call of the first five; the row may be written or not.
    if ((throttled += 1) <= 5) answer.Responses[0] = { Error: { Code: 'ThrottlingError', Message: 'later' } };
    return JSON.stringify(answer);
  };
  const all = [...there.map((row) => ({ ...row, request_id: 'again' })), ...rows, refused];
  const answers = await Promise.allSettled(all.map((row) => ledger.jobs.put(row)));
  expect(answers.slice(0, 2)).toMatchObject(
    there.map((row) => ({ value: { created: false, existing: { job_id: row.job_id, request_id: 'req_test' } } })),
  );
  expect(answers.slice(2, -1)).toEqual(rows.map(() => ({ status: 'fulfilled', value: { created: true } })));
  expect(answers.at(-1)).toMatchObject({ status: 'rejected', reason: { code: 'internal' } });
  // Four full calls, the first alone, those that were tried again, and some that left before they were full.
  expect(dynamo.calls.get('BatchExecuteStatement')).toBeLessThanOrEqual(20);
  expect(await ledger.jobs.openOf(user)).toHaveLength(98);
});

test('a row of a key that is throttled for good is told so', async () => {
  dynamo.answer = (operation, body) =>
    operation === 'BatchExecuteStatement'
      ? JSON.stringify({ Responses: [{ Error: { Code: 'ProvisionedThroughputExceeded' } }] })
      : body;
  await expect(ledger.jobs.put(newRow(user))).rejects.toMatchObject({ code: 'unavailable', retryAfterMs: 2000 });
  expect(dynamo.calls.get('BatchExecuteStatement')).toBeGreaterThan(2);
});

test('a write whose answer is lost is recognised when it is repeated', async () => {
  const row = newRow(user);
  let lost = 0;
  dynamo.answer = (operation, body) =>
    (operation === 'BatchExecuteStatement' || operation === 'UpdateItem') && (lost += 1) % 2 === 1 ? undefined : body;
  expect(await ledger.jobs.put(row)).toEqual({ created: true });
  expect(await ledger.jobs.finish(user, row.job_id, outcome())).toMatchObject({ won: true });
  expect(lost).toBe(4);
});

test('finish has one winner, whoever comes together and however often', async () => {
  const finals = ['completed', 'failed', 'cancelled', 'expired'] as const;
  await fc.assert(
    fc.asyncProperty(fc.array(fc.constantFrom(...finals), { minLength: 1, maxLength: 6 }), async (statuses) => {
      const row = newRow(user);
      await ledger.jobs.add(row);
      const answers = await Promise.all(
        statuses.map((status, index) => ledger.jobs.finish(user, row.job_id, outcome({ status, finished_at: index }))),
      );
      const winners = answers.filter((one) => one.won);
      expect(winners).toHaveLength(1);
      const standing = await ledger.jobs.get(user, row.job_id);
      expect(standing?.open).toBeUndefined();
      for (const answer of answers) expect(answer.row).toEqual(standing);
      expect(await ledger.jobs.handOver(user, row.job_id, { job: 'query', payload: {} })).toBe(false);
    }),
    { numRuns: 25 },
  );
});

test('finish of a job that nobody knows wins nothing', async () => {
  expect(await ledger.jobs.finish(user, 'query_01K00000000000000000000000', outcome())).toEqual({
    won: false,
    row: undefined,
  });
});

test('a voice job goes on as another and stays open', async () => {
  const row = newRow(user, { job: 'voice' }, 'voice');
  await ledger.jobs.add(row);
  expect(await ledger.jobs.handOver(user, row.job_id, { job: 'query', payload: { question: 'why?' } })).toBe(true);
  expect(await ledger.jobs.get(user, row.job_id)).toMatchObject({
    job: 'query',
    operation: 'voice',
    payload: { question: 'why?' },
    status: 'queued',
  });
  expect(ids(await ledger.jobs.openOf(user))).toEqual([row.job_id]);
});

test('a result that is too large is refused in words; detail that is too large is left out', async () => {
  const rows = [newRow(user), newRow(user)] as const;
  await Promise.all(rows.map((row) => ledger.jobs.add(row)));
  const long = 'x'.repeat(400_000);
  expect(await ledger.jobs.keepDetail(user, rows[0].job_id, { words: [{ text: 'descale', start_s: 0.5 }] })).toBe(true);
  expect(await ledger.jobs.keepDetail(user, rows[0].job_id, { words: [long] })).toBe(true);
  const { row } = await ledger.jobs.finish(user, rows[0].job_id, outcome());
  expect(row?.detail).toEqual({ words: [{ text: 'descale', start_s: 0.5 }] });
  expect(await ledger.jobs.keepDetail(user, rows[0].job_id, {})).toBe(false);
  await expect(
    Promise.resolve().then(() => ledger.jobs.finish(user, rows[1].job_id, outcome({ result: { answer: long } }))),
  ).rejects.toMatchObject({ code: 'payload_too_large' });
});

test('lists the user’s own jobs, newest first, in full pages, also when it filters', async () => {
  const rows: NewJobRow[] = [];
  for (let index = 0; index < 60; index += 1) {
    rows.push(newRow(user, {}, index % 3 === 0 ? 'transcribe' : 'query'));
  }
  await Promise.all([...rows, newRow('neighbour')].map((row) => ledger.jobs.add(row)));
  const done = rows.filter((_row, index) => index % 4 === 0);
  await Promise.all(done.map((row) => ledger.jobs.finish(user, row.job_id, outcome())));
  const expected = (keep: (row: NewJobRow) => boolean): string[] => ids(rows.filter(keep).reverse());

  const pagesOf = async (query: Omit<Parameters<Ledger['jobs']['list']>[1], 'cursor'>): Promise<string[][]> => {
    const pages: string[][] = [];
    let cursor: string | undefined;
    do {
      const page = await ledger.jobs.list(user, { ...query, ...(cursor === undefined ? {} : { cursor }) });
      pages.push(ids(page.items));
      cursor = page.next_cursor ?? undefined;
    } while (cursor !== undefined);
    return pages;
  };
  const every = await pagesOf({ limit: 25 });
  expect(every.map((page) => page.length)).toEqual([25, 25, 10]);
  expect(every.flat()).toEqual(expected(() => true));
  const exact = await pagesOf({ limit: 20 });
  expect(exact.map((page) => page.length)).toEqual([20, 20, 20]);
  const completed = await pagesOf({ limit: 4, status: 'completed' });
  expect(completed.map((page) => page.length)).toEqual([4, 4, 4, 3]);
  expect(completed.flat()).toEqual(expected((row) => done.includes(row)));
  const both = await pagesOf({ limit: 50, status: 'queued', operation: 'transcribe' });
  expect(both.flat()).toEqual(expected((row) => row.operation === 'transcribe' && !done.includes(row)));
});

test('no cursor, forged or borrowed, shows another user’s rows', async () => {
  await Promise.all(Array.from({ length: 5 }, () => ledger.jobs.add(newRow('victim'))));
  const { next_cursor } = await ledger.jobs.list('victim', { limit: 2 });
  await fc.assert(
    fc.asyncProperty(
      fc.oneof(
        fc.string(),
        fc.base64String(),
        fc.constantFrom(next_cursor ?? '', `${next_cursor}A`, `${next_cursor}==`),
      ),
      async (cursor) => {
        await expect(ledger.jobs.list(user, { limit: 5, cursor })).rejects.toMatchObject({ code: 'validation_failed' });
      },
    ),
    { numRuns: 50 },
  );
});

test('the sweeper sees open rows of all users that are old enough, oldest first', async () => {
  const rows = Array.from({ length: 130 }, (_none, index) => newRow(`${user}-${index % 20}`));
  await Promise.all(rows.map((row) => ledger.jobs.add(row)));
  const [first, , third] = rows;
  if (first === undefined || third === undefined) throw new Error('no rows');
  await ledger.jobs.finish(third.user_id, third.job_id, outcome());
  const last = rows[120]?.created_at ?? 0;
  const mine = (await all(ledger.jobs.open(last))).filter((row) => row.user_id.startsWith(`${user}-`));
  expect(ids(mine)).toEqual(ids(rows.slice(0, 120).filter((row) => row !== third)));
});

test('errors are the domain’s, whatever DynamoDB says', async () => {
  dynamo.fault = (_operation, _request, response) => refuse(response, 'AccessDeniedException');
  const failure: unknown = await ledger.jobs.get(user, 'x').catch((error: unknown) => error);
  expect(failure).toBeInstanceOf(ManuelError);
  expect(failure).toMatchObject({ code: 'unavailable', detail: expect.not.stringContaining('injected') });
});

test('a page of large results comes whole: what did not fit into one answer is asked for at once', async () => {
  const rows = Array.from({ length: 60 }, () => newRow(user));
  await Promise.all(rows.map((row) => ledger.jobs.add(row)));
  type Answer = { Responses: Record<string, Record<string, unknown>[]>; UnprocessedKeys: unknown };
  // As DynamoDB does past 16 MB; here past six rows.
  dynamo.answer = (operation, body) => {
    if (operation !== 'BatchGetItem') return body;
    const answer = JSON.parse(body) as Answer;
    const [table = '', items = []] = Object.entries(answer.Responses)[0] ?? [];
    const left = items.slice(6).map(({ user_id, job_id }) => ({ user_id, job_id }));
    if (left.length > 0) answer.UnprocessedKeys = { [table]: { Keys: left, ConsistentRead: true } };
    answer.Responses = { [table]: items.slice(0, 6) };
    return JSON.stringify(answer);
  };
  const { items } = await ledger.jobs.list(user, { limit: 60 });
  expect(ids(items)).toEqual(ids(rows.toReversed()));
  expect(dynamo.calls.get('BatchGetItem')).toBe(10);
});

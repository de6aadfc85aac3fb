import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { newManualId, newUploadId } from '@manuel/contracts';
import type { LocalDynamo } from './test-support/local-dynamo.ts';
import { startTestLedger } from './test-support/test-ledger.ts';
import type { DeadLetterRow, FeedbackRow, Ledger, ManualRow } from './types.ts';

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

async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const list: T[] = [];
  for await (const item of items) list.push(item);
  return list;
}

const manual = (change: Partial<ManualRow> = {}): ManualRow => ({
  user_id: user,
  manual_id: newManualId(),
  filename: 'Bedienungsanleitung ☕.pdf',
  content_type: 'application/pdf',
  bytes: 100,
  pages: 0,
  status: 'processing',
  created_at: 1,
  updated_at: 1,
  upload_method: 'body',
  ...change,
});

test('a manual is made once and changed only in the states that are named', async () => {
  const row = manual();
  expect(await ledger.manuals.create(row)).toBe(true);
  expect(await ledger.manuals.create(row)).toBe(false);
  expect(await ledger.manuals.get(user, row.manual_id)).toEqual(row);
  const failed = await ledger.manuals.update(user, row.manual_id, {
    status: 'failed',
    error: { code: 'document_encrypted', detail: 'Remove the password.' },
  });
  expect(failed).toMatchObject({ status: 'failed', error: { code: 'document_encrypted' } });
  expect(failed?.updated_at).toBeGreaterThan(1);
  expect(
    await ledger.manuals.update(user, row.manual_id, { status: 'ready' }, { status: ['processing'] }),
  ).toBeUndefined();
  const again = await ledger.manuals.update(
    user,
    row.manual_id,
    { status: 'processing', error: null },
    { status: ['failed'] },
  );
  expect(again?.error).toBeUndefined();
  await ledger.manuals.remove(user, row.manual_id);
  expect(await ledger.manuals.update(user, row.manual_id, { pages: 3 })).toBeUndefined();
  expect(await ledger.manuals.get(user, row.manual_id)).toBeUndefined();
});

test('a create whose answer is lost still counts as ours', async () => {
  let lost = 0;
  dynamo.answer = (operation, body) => (operation === 'PutItem' && (lost += 1) === 1 ? undefined : body);
  expect(await ledger.manuals.create(manual())).toBe(true);
  expect(lost).toBe(2);
});

test('manuals are listed newest first, page by page, without the version beside them', async () => {
  const rows = Array.from({ length: 7 }, (_none, index) =>
    manual({ manual_id: `man_0000000000000000000000000${index}`, status: index < 3 ? 'ready' : 'processing' }),
  );
  for (const row of rows) await ledger.manuals.create(row);
  expect(await ledger.manuals.version(user)).toBe(0);
  expect(await ledger.manuals.bumpVersion(user)).toBe(1);
  expect(await ledger.manuals.bumpVersion(user)).toBe(2);
  expect(await ledger.manuals.version(user)).toBe(2);
  const first = await ledger.manuals.list(user, { limit: 4 });
  const second = await ledger.manuals.list(user, { limit: 4, cursor: first.next_cursor ?? '' });
  expect([...first.items, ...second.items]).toEqual(rows.toReversed());
  expect(second.next_cursor).toBeNull();
  expect((await ledger.manuals.all(user, ['ready'])).length).toBe(3);
  expect(await ledger.manuals.get(user, '#version')).toBeUndefined();
  const invalid = { code: 'validation_failed' };
  await expect(ledger.manuals.list(user, { limit: 4, cursor: 'x' })).rejects.toMatchObject(invalid);
  const borrowed = ledger.manuals.list('somebody-else', { limit: 4, cursor: first.next_cursor ?? '' });
  await expect(borrowed).rejects.toMatchObject(invalid);
  expect((await all(ledger.manuals.scan())).filter((row) => row.user_id === user)).toHaveLength(7);
});

test('the same file is found by its hash while it is of use, and only by its owner', async () => {
  const sha256 = 'ab'.repeat(32);
  await ledger.manuals.create(manual({ sha256, status: 'failed' }));
  expect(await ledger.manuals.findBySha256(user, sha256)).toBeUndefined();
  const ready = manual({ sha256, status: 'ready', manual_id: 'man_00000000000000000000000001' });
  await ledger.manuals.create(ready);
  await ledger.manuals.create(manual({ sha256, status: 'processing' }));
  expect(await ledger.manuals.findBySha256(user, sha256)).toEqual(ready);
  expect(await ledger.manuals.findBySha256('somebody-else', sha256)).toBeUndefined();
});

test('a conversation takes each job’s turn once, in any company, and keeps the last', async () => {
  const turn = (n: number) => ({ question: `q${n}`, answer: `a${n}`, at: n });
  const append = (n: number) => ledger.conversations.append(user, 'cnv_1', `query_${n}`, turn(n), 3);
  await Promise.all([append(1), append(1), append(2), append(2)]);
  await append(3);
  await append(4);
  await append(1);
  const turns = await ledger.conversations.turns(user, 'cnv_1');
  expect(turns).toHaveLength(3);
  expect(turns.slice(1)).toEqual([turn(3), turn(4)]);
  expect(await ledger.conversations.turns('somebody-else', 'cnv_1')).toEqual([]);
});

test('an announced upload is its owner’s', async () => {
  const upload = {
    user_id: user,
    upload_id: newUploadId(),
    kind: 'audio' as const,
    key: `audio/${user}/x`,
    content_type: 'audio/wav',
    size: 44,
    created_at: Date.now(),
  };
  await ledger.uploads.create(upload);
  expect(await ledger.uploads.get(user, upload.upload_id)).toEqual(upload);
  expect(await ledger.uploads.get('somebody-else', upload.upload_id)).toBeUndefined();
});

test('feedback comes newest first, of all or of one rating; a second opinion replaces the first', async () => {
  const opinion = (job_id: string, rating: 'up' | 'down', created_at: number): FeedbackRow => ({
    user_id: user,
    job_id,
    rating,
    question: 'q',
    answer: 'a',
    model: 'm',
    passages: [{ manual_id: 'man_1', page: null, excerpt: 'e' }],
    created_at,
  });
  for (const row of [opinion('1', 'up', 1), opinion('2', 'down', 2), opinion('3', 'up', 3), opinion('1', 'down', 4)]) {
    await ledger.feedback.put(row);
  }
  const seen = async (rating?: 'up' | 'down') => (await all(ledger.feedback.scan(rating))).map((row) => row.created_at);
  expect(await seen()).toEqual([4, 3, 2]);
  expect(await seen('down')).toEqual([4, 2]);
});

test('dead letters: stored once, listed newest first by severity, fingerprint and operation', async () => {
  const severities = ['critical', 'high', 'medium', 'low'] as const;
  const rows = Array.from({ length: 12 }, (_none, n): DeadLetterRow => {
    return {
      id: `dl_${n}`,
      fingerprint: `fp${n % 2}`,
      severity: severities[n % 4] ?? 'low',
      queue: 'query',
      job: 'query',
      job_id: `query_${n}`,
      user_id: user,
      operation: n % 3 === 0 ? 'voice' : 'query',
      code: 'upstream_failed',
      reason: 'r',
      attempts: 3,
      payload: { question: n },
      failed_at: 1000 + n,
    };
  });
  for (const row of rows) expect(await ledger.deadLetters.put(row, 30)).toBe(true);
  expect(await ledger.deadLetters.put(rows[0] as DeadLetterRow, 30)).toBe(false);
  const newest = rows.toReversed();
  const list = async (query: Omit<Parameters<Ledger['deadLetters']['list']>[0], 'limit'>) => {
    const items: DeadLetterRow[] = [];
    let cursor: string | undefined;
    do {
      const page = await ledger.deadLetters.list({ ...query, limit: 2, ...(cursor === undefined ? {} : { cursor }) });
      items.push(...page.items);
      cursor = page.next_cursor ?? undefined;
    } while (cursor !== undefined);
    return items;
  };
  expect(await list({})).toEqual(newest);
  expect(await list({ severity: 'high' })).toEqual(newest.filter((row) => row.severity === 'high'));
  expect(await list({ fingerprint: 'fp1', severity: 'low' })).toEqual(newest.filter((row) => row.severity === 'low'));
  expect(await list({ operation: 'voice' })).toEqual(newest.filter((row) => row.operation === 'voice'));
  await ledger.deadLetters.markReplayed('dl_3', 77);
  expect(await ledger.deadLetters.get('dl_3')).toEqual({ ...rows[3], replayed_at: 77 });
  await ledger.deadLetters.markReplayed('nobody', 77);
  expect(await ledger.deadLetters.get('nobody')).toBeUndefined();
});

test('one alert for a fingerprint and window, whoever counts', async () => {
  const now = Date.now();
  const counts = await Promise.all(Array.from({ length: 6 }, () => ledger.deadLetters.count('fp', now, 3600)));
  expect(counts.map((one) => one.count).sort((a, b) => a - b)).toEqual([1, 2, 3, 4, 5, 6]);
  expect(counts.filter((one) => one.alertDue)).toHaveLength(1);
  expect(await ledger.deadLetters.count('fp', now + 3_600_000, 3600)).toEqual({ count: 7, alertDue: true });
  expect(await ledger.deadLetters.count('fp', now + 3_600_001, 3600)).toEqual({ count: 8, alertDue: false });
});

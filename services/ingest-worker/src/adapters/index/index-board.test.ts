import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { settingsWith } from '@manuel/settings';
import { testRedis } from '@manuel/testing';
import { Redis } from 'ioredis';
import { IndexBoard, type Taken } from './index-board.ts';

let server: Awaited<ReturnType<typeof testRedis>>;
let redis: Redis;
let round = 0;
let board: IndexBoard;
const make = (over: { calls_per_s?: number; batch_window_ms?: number } = {}) =>
  new IndexBoard(
    redis,
    settingsWith({
      redis: { prefix: `${server.prefix}:${round}` },
      ingest: { calls_per_s: 1000, batch_window_ms: 0, ...over },
    }),
  );
beforeAll(async () => {
  server = await testRedis();
  redis = new Redis(server.url);
});
beforeEach(() => {
  round += 1;
  board = make();
});
afterAll(async () => {
  redis.disconnect();
  await server.close();
});

const urisOf = (taken: Taken): readonly string[] => (taken && 'uris' in taken ? taken.uris : []);
const waitOf = (taken: Taken): number => (taken && 'waitMs' in taken ? taken.waitMs : 0);
const uri = (name: string): string => `s3://bucket/${name}`;

test('a batch holds at most 25 documents, and users take turns in it', async () => {
  for (let index = 0; index < 40; index += 1) await board.request('ingest', uri(`greedy-${index}`), 'greedy');
  for (const user of ['anna', 'berta']) {
    for (let index = 0; index < 2; index += 1) await board.request('ingest', uri(`${user}-${index}`), user);
  }
  const first = urisOf(await board.take('ingest'));
  expect(first).toHaveLength(25);
  expect(first.slice(0, 6).filter((name) => name.includes('greedy'))).toHaveLength(2);
  expect(first).toEqual(expect.arrayContaining([uri('anna-1'), uri('berta-1')]));
  // Who comes later does not wait behind all that the greedy one still has.
  await board.request('ingest', uri('carl-0'), 'carl');
  expect(urisOf(await board.take('ingest')).slice(0, 2)).toContain(uri('carl-0'));
  expect(urisOf(await board.take('ingest'))).toEqual([]);
  expect(await board.take('ingest')).toBeUndefined();
});

test('a window gathers, a full batch goes at once, and two workers share one rate', async () => {
  const patient = make({ batch_window_ms: 10_000, calls_per_s: 0.1 });
  await patient.request('ingest', uri('one'), 'anna');
  expect(waitOf(await patient.take('ingest'))).toBeGreaterThan(9000);
  for (let index = 0; index < 30; index += 1) await patient.request('ingest', uri(`more-${index}`), 'anna');
  expect(urisOf(await patient.take('ingest'))).toHaveLength(25);
  const other = make({ calls_per_s: 0.1 });
  expect(waitOf(await other.take('ingest'))).toBeGreaterThan(9000);
  // Each kind of call has a rate of its own.
  await other.request('delete', uri('gone'), 'anna');
  expect(urisOf(await other.take('delete'))).toEqual([uri('gone')]);
});

test('asking twice is asking once; a deletion takes the place of an ingest; what is older is not heard', async () => {
  await board.request('ingest', uri('a'), 'anna');
  const asked = await board.entry(uri('a'));
  await board.request('ingest', uri('a'), 'anna');
  expect(await board.entry(uri('a'))).toEqual(asked);
  await board.request('delete', uri('a'), 'anna');
  expect(urisOf(await board.take('ingest'))).toEqual([]);
  if (!asked) throw new Error('it was asked for');
  expect(await board.settle(uri('a'), asked, { phase: 'done' })).toBe(false);
  expect(await board.entry(uri('a'))).toMatchObject({ op: 'delete', phase: 'queued' });
  expect(urisOf(await board.take('delete'))).toEqual([uri('a')]);
  await board.forget(uri('a'));
  expect(await board.entry(uri('a'))).toBeUndefined();
  expect(await board.takeLooks()).toBeUndefined();
});

test('what a worker took and did not send, because it died, is looked at again', async () => {
  await board.request('ingest', uri('lost'), 'anna');
  expect(urisOf(await board.take('ingest'))).toEqual([uri('lost')]);
  const wait = waitOf(await board.takeLooks());
  expect(wait).toBeGreaterThan(25_000);
  expect(wait).toBeLessThanOrEqual(30_000);
});

test('turns that are reserved come one after the other, however many ask at once', async () => {
  const waits = await Promise.all(Array.from({ length: 5 }, () => board.reserve('probe', 10)));
  const sorted = waits.toSorted((a, b) => a - b);
  for (const [index, wait] of sorted.entries()) {
    expect(wait).toBeGreaterThan(index * 100 - 60);
    expect(wait).toBeLessThanOrEqual(index * 100);
  }
});

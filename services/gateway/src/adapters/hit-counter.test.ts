import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { settingsWith } from '@manuel/settings';
import { silentLogger } from '@manuel/telemetry';
import { type OwnRedis, startRedis, waitFor } from '@manuel/testing';
import type { Redis } from 'ioredis';
import { HitCounter } from './hit-counter.ts';
import { connectRedis } from './redis.ts';

let server: OwnRedis;
const open: Redis[] = [];

async function connect(): Promise<Redis> {
  const redis = connectRedis(settingsWith({ redis: { url: server.url } }), silentLogger());
  open.push(redis);
  await waitFor(() => redis.status === 'ready', { what: 'the connection' });
  return redis;
}
const counter = (redis: Redis, prefix: string): HitCounter => new HitCounter(redis, prefix, 60_000, silentLogger());

beforeAll(async () => {
  server = await startRedis();
});
afterEach(() => open.splice(0).forEach((redis) => redis.disconnect()));
afterAll(() => server.close());

test('gateways count together, exactly', async () => {
  const gateways = [counter(await connect(), 'a:'), counter(await connect(), 'a:')];
  const hits = await Promise.all(Array.from({ length: 100 }, (_, turn) => gateways[turn % 2]!.hit('user:1')));
  expect(hits.map((counted) => counted.hits).sort((a, b) => a - b)).toEqual(
    Array.from({ length: 100 }, (_, i) => i + 1),
  );
  expect(hits.every(({ resetAt }) => resetAt > Date.now() && resetAt <= Date.now() + 60_000)).toBe(true);
});

test('hits of one moment share one command', async () => {
  const redis = await connect();
  const counting = counter(redis, 'b:');
  await counting.hit('user:1');
  const before = await commands(redis);
  counting.hitNow('address:1');
  await Promise.all([counting.hit('user:1'), counting.hit('user:2'), counting.hit('user:1')]);
  expect((await commands(redis)) - before).toBe(1);
});

test('hits that were not waited for arrive as well', async () => {
  const [mine, other] = [counter(await connect(), 'c:'), counter(await connect(), 'c:')];
  expect([mine.hitNow('address:1').hits, mine.hitNow('address:1').hits, mine.hitNow('address:1').hits]).toEqual([
    1, 2, 3,
  ]);
  await mine.hit('flush');
  expect((await other.hit('address:1')).hits).toBe(4);
  await mine.hit('flush');
  mine.hitNow('address:1');
  await mine.hit('flush');
  expect(mine.hitNow('address:1').hits).toBe(6);
});

test('hits that nobody waits for gather in few commands', async () => {
  const redis = await connect();
  const counting = counter(redis, 'f:');
  await counting.hit('user:1');
  const before = await commands(redis);
  for (let i = 0; i < 10; i += 1) {
    counting.hitNow('address:1');
    counting.hitNow(`address:${i + 2}`);
    await new Promise((resolve) => setImmediate(resolve));
  }
  await waitFor(async () => (await redis.get('f:address:11')) === '1', { what: 'the last of them' });
  expect(await redis.get('f:address:1')).toBe('10');
  expect((await commands(redis)) - before).toBeLessThan(10);
});

test('far from the limit it does not wait, and near it counts exactly', async () => {
  const gateways = [counter(await connect(), 'e:'), counter(await connect(), 'e:')];
  const soon = (turn: number) => gateways[turn % 2]!.hitSoon('user:1', 10);
  // Nothing is known yet, so both ask.
  expect([(await soon(0)).hits, (await soon(1)).hits]).toEqual([1, 2]);
  expect(soon(0)).toEqual({ hits: 2, resetAt: expect.any(Number) });
  const counted: number[] = [];
  for (let turn = 1; turn < 60; turn += 1) {
    counted.push((await soon(turn)).hits);
    await gateways[turn % 2]!.hit('flush');
  }
  expect(counted.slice(-40)).toEqual(Array.from({ length: 40 }, (_, i) => i + 23));
});

test('with Redis stopped it counts on in memory, quickly, from what it knew', async () => {
  const own = await startRedis();
  const redis = connectRedis(settingsWith({ redis: { url: own.url } }), silentLogger());
  try {
    await waitFor(() => redis.status === 'ready', { what: 'the connection' });
    const counting = counter(redis, 'd:');
    for (let i = 0; i < 5; i += 1) await counting.hit('user:1');
    await own.stop('SIGSTOP');
    const started = performance.now();
    expect((await counting.hit('user:1')).hits).toBe(6);
    expect(performance.now() - started).toBeLessThan(500);
    expect((await counting.hit('user:1')).hits).toBe(7);
    await own.start();
    await waitFor(async () => (await counting.hit('user:1'), Number(await redis.get('d:user:1')) > 6), {
      what: 'counting in Redis again',
    });
  } finally {
    redis.disconnect();
    await own.close();
  }
});

/** Calls of EVAL so far. */
async function commands(redis: Redis): Promise<number> {
  const info = await redis.info('commandstats');
  return Number(/cmdstat_evalsha:calls=(\d+)/.exec(info)?.[1] ?? 0);
}

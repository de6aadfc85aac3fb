import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { settingsWith } from '@manuel/settings';
import { testRedis } from '@manuel/testing';
import { Redis } from 'ioredis';
import { createLimiter } from './limiter.ts';

let redis: Redis;
let prefix: string;
let close: () => Promise<void>;

beforeAll(async () => {
  const server = await testRedis();
  ({ prefix, close } = server);
  redis = new Redis(server.url);
});
afterAll(async () => {
  redis.disconnect();
  await close();
});

const limiter = (name: string, transcribe: { start_per_s?: number; max_running?: number }) =>
  createLimiter(redis, settingsWith({ redis: { prefix: `${prefix}:${name}` }, transcribe }));

test('whoever reserves, no second holds more calls than Transcribe allows', async () => {
  const workers = [limiter('rate', { start_per_s: 25 }), limiter('rate', { start_per_s: 25 })];
  const places = await Promise.all(
    Array.from({ length: 200 }, async (_none, index) => {
      const place = await workers[index % 2]?.reserve('start');
      return performance.now() + (place ?? 0);
    }),
  );
  places.sort((a, b) => a - b);
  for (const [index, place] of places.entries()) {
    const within = places.slice(index).filter((other) => other < place + 900).length;
    expect(within).toBeLessThanOrEqual(25);
  }
  // And no more patience is asked for than that takes.
  expect((places.at(-1) ?? 0) - (places[0] ?? 0)).toBeLessThan((200 / 20) * 1000 + 500);
});

test('a call can be reserved for later, and does not keep others from the time before', async () => {
  const one = limiter('later', { start_per_s: 25 });
  expect(await one.reserve('start', 5000)).toBeGreaterThan(4700);
  expect(await one.reserve('start')).toBe(0);
});

test('so many run at once as the account may have; a name keeps its place', async () => {
  const one = limiter('running', { max_running: 3 });
  expect(await Promise.all(['a', 'b', 'c', 'd'].map((name) => one.occupy(name)))).toEqual([true, true, true, false]);
  expect(await one.occupy('b')).toBe(true);
  await one.vacate('a');
  expect(await one.occupy('d')).toBe(true);
  expect(await one.occupy('a')).toBe(false);
});

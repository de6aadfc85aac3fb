import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { settingsWith } from '@manuel/settings';
import { testRedis, waitFor } from '@manuel/testing';
import { Redis } from 'ioredis';
import { createLocks } from './locks.ts';

let shared: Awaited<ReturnType<typeof testRedis>>;
const connections: Redis[] = [];
beforeAll(async () => {
  shared = await testRedis();
});
afterAll(async () => {
  for (const connection of connections) connection.disconnect();
  await shared.close();
});

const leaseMs = 200;
function worker(): { locks: ReturnType<typeof createLocks>; die: () => void } {
  const redis = new Redis(shared.url);
  connections.push(redis);
  const settings = settingsWith({ redis: { url: shared.url, prefix: shared.prefix } });
  return { locks: createLocks(redis, settings, leaseMs), die: () => redis.disconnect() };
}

test('who holds a lock keeps it as long as the work takes, and no longer', async () => {
  const [first, second] = [worker(), worker()];
  const work = Promise.withResolvers<string>();
  const held = first.locks.hold('long', () => work.promise);
  const since = Date.now();
  await waitFor(async () => {
    expect(await second.locks.hold('long', async () => 'too')).toBeUndefined();
    return Date.now() - since > 3 * leaseMs;
  });
  work.resolve('mine');
  expect(await held).toEqual({ done: 'mine' });
  expect(await second.locks.hold('long', async () => 'then')).toEqual({ done: 'then' });
  await expect(first.locks.hold('long', () => Promise.reject(new Error('broken')))).rejects.toThrow('broken');
  expect(await second.locks.hold('long', async () => 'again')).toEqual({ done: 'again' });
});

test('a lock whose holder died lapses soon', async () => {
  const [first, second] = [worker(), worker()];
  const begun = Promise.withResolvers<void>();
  const end = Promise.withResolvers<void>();
  const held = first.locks.hold('lost', () => {
    begun.resolve();
    return end.promise;
  });
  await begun.promise;
  first.die();
  await waitFor(() => second.locks.hold('lost', async () => 'mine'), { timeoutMs: 3000 });
  end.resolve();
  await expect(held).rejects.toThrow('closed');
});

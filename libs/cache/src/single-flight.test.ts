import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { connectRedis } from '@manuel/resilience';
import { settingsWith } from '@manuel/settings';
import { silentLogger } from '@manuel/telemetry';
import { testRedis, waitFor } from '@manuel/testing';
import type { Redis } from 'ioredis';
import { createQuiet } from './quiet-redis.ts';
import { createSingleFlight, type SingleFlight } from './single-flight.ts';

let shared: Awaited<ReturnType<typeof testRedis>>;
let connections: Redis[];
let flights: SingleFlight[];

beforeAll(async () => {
  shared = await testRedis();
  const settings = settingsWith({ redis: { url: shared.url } });
  const connect = () => connectRedis(settings, { name: 'test', logger: silentLogger() });
  connections = [await connect(), await connect()];
  const quiet = createQuiet(silentLogger());
  flights = connections.map((redis) => createSingleFlight({ redis, prefix: shared.prefix, quiet }));
});
afterAll(async () => {
  for (const connection of connections) connection.disconnect();
  await shared.close();
});

const of = (n: number): SingleFlight => flights[n % flights.length]!;

test('the same work runs once for all who ask at the same time, in whichever process', async () => {
  let runs = 0;
  const land = Promise.withResolvers<void>();
  const work = async () => {
    runs += 1;
    await land.promise;
    return { n: runs };
  };
  const all = Promise.all(Array.from({ length: 12 }, (_, n) => of(n)('once', work)));
  await waitFor(() => runs === 1);
  land.resolve();
  const landed = await all;
  expect(runs).toBe(1);
  expect(landed.map(({ value }) => value)).toEqual(Array.from({ length: 12 }, () => ({ n: 1 })));
  expect(landed.filter(({ leader }) => leader)).toHaveLength(1);
});

test('when the one who works fails, the next one works', async () => {
  let runs = 0;
  const work = async () => {
    runs += 1;
    if (runs === 1) throw new Error('first');
    return 'second';
  };
  const outcomes = await Promise.allSettled([0, 1, 2].map((n) => of(n)('fails', work)));
  expect(outcomes.filter(({ status }) => status === 'rejected')).toHaveLength(1);
  expect(outcomes.filter((each) => each.status === 'fulfilled' && each.value.value === 'second')).toHaveLength(2);
  expect(runs).toBe(2);
});

test('who waited for one that failed takes what the next one found meanwhile', async () => {
  const [redis] = connections;
  await redis!.set(`${shared.prefix}:flight:meanwhile`, 'somebody', 'PX', 5000);
  // The first look finds a leader that works, the second that it failed; before the waiter can lead, another has led and landed.
  let looks = 0;
  const slow = Object.create(redis!, {
    mget: {
      value: async (...keys: string[]) => {
        looks += 1;
        if (looks === 2) await redis!.del(`${shared.prefix}:flight:meanwhile`);
        const found = await redis!.mget(...keys);
        if (looks === 2) await (await of(1)('meanwhile', () => Promise.resolve('theirs'))).landed;
        return found;
      },
    },
  }) as Redis;
  const waiter = createSingleFlight({ redis: slow, prefix: shared.prefix, quiet: createQuiet(silentLogger()) });
  expect(await waiter('meanwhile', () => Promise.resolve('again'))).toMatchObject({ value: 'theirs', leader: false });
  expect(await redis!.exists(`${shared.prefix}:flight:meanwhile`)).toBe(0);
});

test('a leader that died is succeeded when its lock runs out', async () => {
  // What a killed process leaves behind: a lock and no value.
  await connections[0]!.set(`${shared.prefix}:flight:dead`, 'gone', 'PX', 300);
  expect(await of(1)('dead', () => Promise.resolve('alive'))).toMatchObject({ value: 'alive', leader: true });
});

test('who is cancelled while waiting leaves, and the leader goes on', async () => {
  const land = Promise.withResolvers<string>();
  const leader = of(0)('cancel', () => land.promise);
  await waitFor(() => connections[0]!.exists(`${shared.prefix}:flight:cancel`));
  const abort = new AbortController();
  const waiting = of(1)('cancel', () => Promise.resolve('not me'), { signal: abort.signal });
  const outcome = waiting.then(
    () => 'landed',
    () => 'left',
  );
  abort.abort();
  expect(await outcome).toBe('left');
  land.resolve('value');
  expect(await leader).toMatchObject({ value: 'value', leader: true });
});

test('what the one who worked keeps is kept before the next may work', async () => {
  const kept: string[] = [];
  const gate = Promise.withResolvers<void>();
  const keep = async (value: string): Promise<void> => {
    await gate.promise;
    kept.push(value);
  };
  const first = await of(0)('keep', () => Promise.resolve('first'), { keep });
  expect(kept).toEqual([]);
  const second = of(1)('keep', () => Promise.resolve('second'));
  gate.resolve();
  await first.landed;
  expect(kept).toEqual(['first']);
  expect(await second).toMatchObject({ value: 'first', leader: false });
});

test('a value that cannot be kept leaves no lock behind', async () => {
  const keep = (): Promise<void> => Promise.reject(new Error('no room'));
  const flight = await of(0)('unkept', () => Promise.resolve('value'), { keep });
  await expect(flight.landed).rejects.toThrow('no room');
  expect(await connections[0]!.exists(`${shared.prefix}:flight:unkept`)).toBe(0);
});

test('the work of one who died is soon taken over', async () => {
  const settings = settingsWith({ redis: { url: shared.url } });
  const redis = await connectRedis(settings, { name: 'test', logger: silentLogger() });
  const doomed = createSingleFlight({ redis, prefix: shared.prefix, quiet: createQuiet(silentLogger()) });
  const [begun, end] = [Promise.withResolvers<void>(), Promise.withResolvers<string>()];
  const lost = doomed('doomed', () => {
    begun.resolve();
    return end.promise;
  });
  await begun.promise;
  redis.disconnect();
  const since = Date.now();
  expect(await of(0)('doomed', async () => 'alive')).toMatchObject({ value: 'alive', leader: true });
  // Sooner than a job is taken over whose worker died: within a sweep, of 2 s at the least.
  expect(Date.now() - since).toBeLessThan(2000);
  end.resolve('late');
  await (
    await lost
  ).landed;
});

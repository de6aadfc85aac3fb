import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import type { StoredEvent } from '@manuel/contracts';
import { waitFor } from '@manuel/testing';
import * as fc from 'fast-check';
import { queueContext } from './context.ts';
import { compareEventIds } from './event-id.ts';
import { finishInRedis } from './finish-job.ts';
import { publishScript } from './scripts/events.ts';
import { run } from './scripts/script.ts';
import { answered, done, question, startBench, submit, type TestBench } from './test-support/bench.ts';
import type { EventHub } from './types.ts';

let bench: TestBench;
beforeAll(async () => {
  bench = await startBench({ events: { stream_max_length: 100, stream_ttl_s: 60 } });
});
afterEach(() => bench.reset());
afterAll(() => bench.close());

/** Events that a stream keeps, unless it is BullMQ's own worker that publishes. */
const longest = 1000;
let seq = 0;
const publish = (user: string, count = 1, kept = longest): Promise<unknown> => {
  const events = Array.from({ length: count }, () =>
    JSON.stringify({ type: 'token', job_id: 'query_0', seq: (seq += 1), text: 'x' }),
  );
  return run(bench.redis, publishScript, '{manuel}', [user, kept, 60, ...events]);
};
const hubOf = async (): Promise<EventHub> => bench.hub(await bench.admitter());
const seqs = (seen: StoredEvent[]): number[] => seen.map(({ event }) => (event.type === 'token' ? event.seq : -1));
const increasing = (numbers: number[]): boolean => numbers.every((n, i) => i === 0 || n > (numbers[i - 1] ?? 0));

test('events come to their owner alone, in order, with ids that rise', async () => {
  const hub = await hubOf();
  const [anna, berta]: [StoredEvent[], StoredEvent[]] = [[], []];
  await hub.subscribe('anna', (stored) => anna.push(stored));
  await hub.subscribe('berta', (stored) => berta.push(stored));
  await publish('anna', 3);
  await publish('berta');
  await waitFor(() => anna.length === 3 && berta.length === 1);
  expect(increasing(seqs(anna))).toBe(true);
  expect(compareEventIds(anna[0]?.id ?? '', anna[2]?.id ?? '')).toBeLessThan(0);
  expect(await hub.lastEventId('anna')).toBe(anna[2]?.id);
  expect(await hub.lastEventId('nobody')).toBe('0-0');
});

test('a client that was away gets what it missed, once and in order, whenever it comes back', async () => {
  const hub = await hubOf();
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.record({ publish: fc.integer({ min: 0, max: 5 }), away: fc.boolean() }), { maxLength: 15 }),
      async (steps) => {
        await bench.redis.flushall();
        const user = `user${(seq += 1)}`;
        const first = seq + 1;
        let last = '0-0';
        const seen: StoredEvent[] = [];
        const listen = () =>
          hub.subscribe(
            user,
            (stored) => {
              seen.push(stored);
              last = stored.id;
            },
            last,
          );
        let subscription: Awaited<ReturnType<typeof listen>> | undefined = await listen();
        for (const { publish: count, away } of steps) {
          if (away) {
            subscription?.close();
            subscription = undefined;
          }
          // Coming back and publishing race each other.
          const published = count > 0 ? publish(user, count) : Promise.resolve();
          if (!away && !subscription) subscription = await listen();
          await published;
        }
        subscription ??= await listen();
        await waitFor(() => seen.length === seq - first + 1, { everyMs: 1, timeoutMs: 3000 });
        expect(seqs(seen)).toEqual(Array.from({ length: seen.length }, (_, i) => first + i));
        expect(subscription.gap).toBe(false);
        subscription.close();
      },
    ),
    { numRuns: 40 },
  );
});

test('a lost connection to Redis loses no event', async () => {
  const hub = await hubOf();
  const seen: StoredEvent[] = [];
  await hub.subscribe('anna', (stored) => seen.push(stored));
  await publish('anna', 2);
  await waitFor(() => seen.length === 2);
  for (let round = 0; round < 3; round += 1) {
    await bench.redis.call('CLIENT', 'KILL', 'TYPE', 'pubsub');
    await publish('anna', 3);
  }
  await publish('anna');
  await waitFor(() => seen.length === 12);
  const first = seqs(seen)[0] ?? 0;
  expect(seqs(seen)).toEqual(Array.from({ length: 12 }, (_, i) => first + i));
});

test('what comes live while a lost connection is made again does not hide what was missed', async () => {
  const hub = await hubOf();
  const seen: StoredEvent[] = [];
  for (const user of ['berta', 'carl', 'dora']) await hub.subscribe(user, () => undefined);
  await hub.subscribe('anna', (stored) => seen.push(stored));
  const first = seq + 1;
  const all = 1_000_000;
  for (let round = 0; round < 5; round += 1) {
    await bench.redis.call('CLIENT', 'KILL', 'TYPE', 'pubsub');
    await publish('anna', 3, all);
    const subscribed = async () => (await bench.redis.pubsub('NUMSUB', '{manuel}:ch:anna'))[1] === 1;
    // Without a pause, so that events come in the moment when the channel is there again.
    await publish('anna', 1, all);
    while (!(await subscribed())) await publish('anna', 1, all);
    for (let more = 0; more < 10; more += 1) await publish('anna', 1, all);
    await waitFor(() => seqs(seen).at(-1) === seq);
    expect(seqs(seen)).toEqual(Array.from({ length: seq - first + 1 }, (_, i) => first + i));
  }
});

test('events that were kept no more when a lost connection was made again are told as a gap', async () => {
  const hub = await hubOf();
  const seen: StoredEvent[] = [];
  const gaps: string[] = [];
  await publish('anna', 2);
  const at = await hub.lastEventId('anna');
  await hub.subscribe(
    'anna',
    (stored) => seen.push(stored),
    at,
    (after) => gaps.push(after),
  );
  await bench.redis.call('CLIENT', 'KILL', 'TYPE', 'pubsub');
  await bench.redis.del('{manuel}:ev:anna');
  await waitFor(() => Date.now() > Number(at.split('-')[0]));
  await publish('anna', 3);
  await waitFor(() => seen.length === 3 && gaps.length > 0);
  expect(gaps).toEqual([at]);
});

test('what was missed comes as it is taken, and what comes meanwhile behind it, however much and over a lost connection', async () => {
  const hub = await hubOf();
  await publish('anna', 250);
  const first = seq - 249;
  const seen: StoredEvent[] = [];
  let most = 1;
  const take = (stored: StoredEvent): Promise<unknown> => {
    const count = seen.push(stored);
    return waitFor(() => count < most, { everyMs: 1 });
  };
  const subscribed = hub.subscribe('anna', take, '0-0');
  for (const stop of [1, 100, 101, 250]) {
    most = stop;
    await waitFor(() => seen.length >= stop);
    if (stop === 101) await bench.redis.call('CLIENT', 'KILL', 'TYPE', 'pubsub');
    // More than is held in memory.
    await publish('anna', 150);
    // A new start after the lost connection does not know that the last one is not taken yet.
    expect(seen.length - stop).toBeLessThanOrEqual(1);
  }
  most = Number.POSITIVE_INFINITY;
  expect(await subscribed).toMatchObject({ gap: false });
  await publish('anna', 3);
  await waitFor(() => seen.length === 853);
  expect(seqs(seen)).toEqual(Array.from({ length: 853 }, (_, i) => first + i));
});

test('what is new waits for nobody', async () => {
  const hub = await hubOf();
  let seen = 0;
  await hub.subscribe('anna', () => {
    seen += 1;
    return new Promise(() => undefined);
  });
  await publish('anna', 3);
  await waitFor(() => seen === 3);
});

test('a client that was away too long is told that there is a gap', async () => {
  const hub = await hubOf();
  await publish('anna', 5);
  const old = await hub.lastEventId('anna');
  const read = async (last: string) => {
    const seen: StoredEvent[] = [];
    const subscription = await hub.subscribe('anna', (stored) => seen.push(stored), last);
    subscription.close();
    return { gap: subscription.gap, count: seen.length };
  };
  expect(await read(old)).toEqual({ gap: false, count: 0 });
  expect(await read('0-0')).toEqual({ gap: false, count: 5 });
  expect(await read('99999999999999-0')).toEqual({ gap: true, count: 0 });
  for (let i = 0; i < 15; i += 1) await publish('anna', 100);
  expect(await read(old)).toMatchObject({ gap: true });
  expect(await read('0-0')).toMatchObject({ gap: true });
  await bench.redis.flushall();
  expect(await read(old)).toEqual({ gap: true, count: 0 });
});

test('the stream is capped and lapses', async () => {
  const admitter = await bench.admitter();
  const hub = await bench.hub(admitter);
  await bench.worker(async (job) => {
    for (let i = 0; i < 300; i += 1) {
      job.token('word ');
      await new Promise((resolve) => setImmediate(resolve));
    }
    return { kind: 'done', result: answered() };
  });
  for (let i = 0; i < 3; i += 1) {
    const job = await submit(admitter, question('anna'));
    await hub.waitForEnd('anna', job.id, 5000);
  }
  // Redis trims whole nodes of a stream, so a little more than the cap may stay.
  expect(await bench.redis.xlen('{manuel}:ev:anna')).toBeLessThanOrEqual(200);
  expect(await bench.redis.ttl('{manuel}:ev:anna')).toBeGreaterThan(50);
});

test('tokens arrive whole and in order, the first one at once, before the end', async () => {
  const admitter = await bench.admitter();
  const hub = await bench.hub(admitter);
  const seen: StoredEvent[] = [];
  await hub.subscribe('anna', (stored) => seen.push(stored));
  const words = Array.from({ length: 200 }, (_, i) => `w${i} `);
  const gate = Promise.withResolvers<void>();
  await bench.worker(async (job) => {
    job.token(words[0] ?? '');
    await gate.promise;
    for (const word of words.slice(1)) job.token(word);
    return { kind: 'done', result: answered(words.join('')) };
  });
  await submit(admitter, question('anna'));
  await waitFor(() => seen.some(({ event }) => event.type === 'token'));
  gate.resolve();
  await waitFor(() => seen.some(({ event }) => event.type === 'job' && event.job.status === 'completed'));
  const tokens = seen.flatMap(({ event }) => (event.type === 'token' ? [event] : []));
  expect(tokens.map(({ text }) => text).join('')).toBe(words.join(''));
  expect(tokens.map((token) => token.seq)).toEqual(tokens.map((_, i) => i));
  expect(seen.at(-1)).toMatchObject({ event: { type: 'job', job: { status: 'completed' } } });
});

test('an end whose telling is repeated, because its reply was lost, comes once', async () => {
  const admitter = await bench.admitter();
  const context = queueContext(bench.deps, bench.redis);
  const { id, ...queued } = await submit(admitter, question('anna'));
  const view = { ...queued, id, status: 'failed' as const };
  const end = { userId: 'anna', jobId: id, charged: false, view, tell: true, how: 'run' as const };
  // Somebody else who met it made Redis agree with the ledger meanwhile, and told nobody.
  await finishInRedis(context, 'query', { ...end, tell: false });
  for (let time = 0; time < 2; time += 1) await finishInRedis(context, 'query', end);
  expect(await bench.redis.xlen('{manuel}:ev:anna')).toBe(1);
  const hub = await bench.hub(admitter);
  await finishInRedis(context, 'query', { ...end, tell: false });
  expect(await hub.hasToldEnd('anna', id)).toBe(true);
  await finishInRedis(context, 'query', end);
  expect(await bench.redis.xlen('{manuel}:ev:anna')).toBe(1);
  // Told again, because it ended again in another way.
  await finishInRedis(context, 'query', { ...end, view: { ...view, status: 'completed' } });
  expect(await bench.redis.xlen('{manuel}:ev:anna')).toBe(2);
});

test('one subscriber connection serves any number of clients', async () => {
  const hub = await hubOf();
  const seen = new Set<number>();
  await Promise.all(Array.from({ length: 500 }, (_, i) => hub.subscribe(`user${i % 100}`, () => seen.add(i))));
  const clients = String(await bench.redis.client('LIST', 'TYPE', 'PUBSUB'));
  expect(clients.trim().split('\n')).toHaveLength(1);
  for (let i = 0; i < 100; i += 1) await publish(`user${i}`);
  await waitFor(() => seen.size === 500);
});

test('a waiter gets the job’s end, and nothing when its time is over', async () => {
  const admitter = await bench.admitter();
  const hub = await bench.hub(admitter);
  const job = await submit(admitter, question('anna'));
  expect(await hub.waitForEnd('anna', job.id, 50)).toBeUndefined();
  expect(await hub.waitForEnd('anna', job.id, 60_000, AbortSignal.timeout(50))).toBeUndefined();
  await bench.worker(done);
  const [first, second] = await Promise.all([
    hub.waitForEnd('anna', job.id, 5000),
    hub.waitForEnd('anna', job.id, 5000),
  ]);
  expect(first).toMatchObject({ status: 'completed' });
  expect(second).toEqual(first);
  // It had ended before the wait began.
  expect(await hub.waitForEnd('anna', job.id, 5000)).toEqual(first);
  expect(await hub.waitForEnd('berta', job.id, 50)).toBeUndefined();
});

test('one client’s fault does not keep an event from the others', async () => {
  const hub = await hubOf();
  let seen = 0;
  await hub.subscribe('anna', () => {
    throw new Error('a client broke');
  });
  await hub.subscribe('anna', () => (seen += 1));
  await publish('anna');
  await waitFor(() => seen === 1);
});

test('a job’s result lies in Redis once, and a client that was away gets it from there or from the ledger', async () => {
  const admitter = await bench.admitter();
  const hub = await bench.hub(admitter);
  await bench.worker(() => Promise.resolve({ kind: 'done', result: { ...answered(), answer: 'Turn the knob.' } }));
  const { id } = await submit(admitter, question('anna'));
  const ended = await hub.waitForEnd('anna', id, 5000);
  const stored = (await bench.redis.xrange('{manuel}:ev:anna', '-', '+')).map(([, fields]) => fields[1]);
  expect(stored.join('')).not.toContain('Turn the knob.');
  const resumed = async (): Promise<StoredEvent[]> => {
    const seen: StoredEvent[] = [];
    const subscription = await hub.subscribe('anna', (one) => seen.push(one), '0-0');
    subscription.close();
    return seen;
  };
  const last = { event: { type: 'job', job: ended } };
  const fromRedis = await resumed();
  expect(fromRedis.at(-1)).toMatchObject(last);
  expect(fromRedis.at(-1)?.id).toBe(await hub.lastEventId('anna'));
  await bench.redis.del(`{manuel}:u:anna:v:${id}`);
  expect((await resumed()).at(-1)).toMatchObject(last);
});

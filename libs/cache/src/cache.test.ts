import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { connectRedis } from '@manuel/resilience';
import { settingsWith, type SettingsOverrides } from '@manuel/settings';
import { createMetrics, silentLogger } from '@manuel/telemetry';
import { testRedis } from '@manuel/testing';
import { assert, asyncProperty, constantFrom, integer, record, string } from 'fast-check';
import type { Redis } from 'ioredis';
import { answerCacheKey, answerKey, decodeStoredAnswer, encodeAnswer, parseAnswer } from './answers.ts';
import { type Cache, createCache } from './create-cache.ts';
import { type CacheKey, digestOf, normaliseQuestion, redisKey } from './keys.ts';
import { similarity } from './similarity.ts';

let shared: Awaited<ReturnType<typeof testRedis>>;
let redis: Redis;
const made: Cache[] = [];
/** The ledger's part: a version for each user. */
const versions = new Map<string, number>();
const ledger = {
  version: (userId: string) => Promise.resolve(versions.get(userId) ?? 0),
  bumpVersion(userId: string) {
    versions.set(userId, (versions.get(userId) ?? 0) + 1);
    return Promise.resolve(versions.get(userId) ?? 0);
  },
};

function make(overrides: SettingsOverrides = {}, by: Redis = redis): Cache {
  const settings = settingsWith({ ...overrides, redis: { url: shared.url, prefix: shared.prefix } });
  const deps = { logger: silentLogger(), metrics: createMetrics('test') };
  const cache = createCache({ settings, ...deps, redis: by, versions: ledger });
  made.push(cache);
  return cache;
}

beforeAll(async () => {
  shared = await testRedis();
  redis = await connectRedis(settingsWith({ redis: { url: shared.url } }), { name: 'test', logger: silentLogger() });
});
beforeEach(() => versions.clear());
afterEach(async () => {
  for (const cache of made.splice(0)) await cache.close();
  const keys = await redis.keys(`${shared.prefix.replace(/[{}]/g, '\\$&')}*`);
  if (keys.length > 0) await redis.del(...keys);
});
afterAll(async () => {
  redis.disconnect();
  await shared.close();
});

const keyOf = (userId: string, question: string, version = '0'): CacheKey =>
  answerKey({ userId, question, persona: 'default', model: 'm' }, version);
const bytes = (text: string): Buffer => Buffer.from(text);

test('what one process sets another finds, in Redis first and then in its own memory', async () => {
  const [one, other] = [make(), make()];
  const key = keyOf('ann', 'how?');
  expect(await other.get(key)).toBeUndefined();
  await one.set(key, bytes('value'));
  expect((await other.get(key))?.toString()).toBe('value');
  expect((await other.get(key))?.toString()).toBe('value');
  for (let n = 0; n < 2; n += 1) await one.get(key);
  const stats = await other.stats();
  expect(stats.types.answers).toMatchObject({ l1_hits: 1, l2_hits: 1, misses: 1, hit_rate: 2 / 3 });
  expect(Date.now() - Date.parse(stats.types.answers.last_access!)).toBeLessThan(5000);
  // All processes' looks add up.
  await one.close();
  expect((await other.stats()).types.answers.l1_hits).toBe(2);
});

test('large values lie compressed in Redis, small ones as they are; off means off', async () => {
  const cache = make({ cache: { compress_above_bytes: 100 } });
  const [small, large] = [keyOf('ann', 'small'), keyOf('ann', 'large')];
  await cache.set(small, bytes('x'.repeat(99)));
  await cache.set(large, bytes('x'.repeat(5000)));
  expect(await redis.strlen(redisKey(shared.prefix, small))).toBe(100);
  expect(await redis.strlen(redisKey(shared.prefix, large))).toBeLessThan(200);
  expect((await make().get(large))?.length).toBe(5000);
  const plain = make({ cache: { compression: false, compress_above_bytes: 100 } });
  await plain.set(large, bytes('x'.repeat(5000)));
  expect(await redis.strlen(redisKey(shared.prefix, large))).toBe(5001);
  const off = make({ cache: { enabled: false } });
  expect(await off.get(large)).toBeUndefined();
});

test('an entry lives as long as its type says, in memory as in Redis', async () => {
  const cache = make({ cache: { answers: { ttl_s: 1 } } });
  const key = keyOf('ann', 'how?');
  await cache.set(key, bytes('value'));
  expect(await redis.pttl(redisKey(shared.prefix, key))).toBeLessThanOrEqual(1000);
  await redis.pexpire(redisKey(shared.prefix, key), 60);
  const reader = make();
  expect(await reader.get(key)).toBeDefined();
  await new Promise((resolve) => setTimeout(resolve, 80));
  // Promoted with what was left of its life, not with a new one.
  expect(await reader.get(key)).toBeUndefined();
});

test('an upload or a delete makes every older answer unreachable at once, for all processes', async () => {
  const [worker, gateway] = [make(), make()];
  const before = await gateway.version('ann');
  await worker.set(keyOf('ann', 'how?', before), bytes('old'));
  expect(await gateway.get(keyOf('ann', 'how?', before))).toBeDefined();
  await worker.bumpVersion('ann');
  const after = await gateway.version('ann');
  expect(after).not.toBe(before);
  expect(await gateway.get(keyOf('ann', 'how?', after))).toBeUndefined();
  // Redis never goes back to a version of before, even when a late reader of the ledger would set it.
  await redis.del(`${shared.prefix}:mv:ann`);
  expect(await gateway.version('ann')).toBe(after);
});

test('invalidation by type and by user reaches the memory of other processes and nobody else’s entries', async () => {
  const [one, other] = [make(), make()];
  const keys = {
    ann: keyOf('ann', 'q'),
    bob: keyOf('bob', 'q'),
    transcript: { type: 'transcripts', userId: 'ann', version: '-', digest: digestOf(['a']) } as const,
  };
  for (const key of Object.values(keys)) {
    await one.set(key, bytes('v'));
    await other.get(key);
  }
  expect(await one.invalidate({ type: 'answers', userId: 'ann' })).toBe(1);
  expect(await other.get(keys.ann)).toBeUndefined();
  expect(await other.get(keys.bob)).toBeDefined();
  expect(await other.get(keys.transcript)).toBeDefined();
  expect(await one.invalidate({ type: 'answers' })).toBe(1);
  expect(await other.get(keys.bob)).toBeUndefined();
  expect(await one.invalidate({ userId: 'ann' })).toBe(1);
  expect(await other.get(keys.transcript)).toBeUndefined();
});

test('Redis trouble is a miss and never an error, and nothing is cached under a version that is not known', async () => {
  const dead = await connectRedis(settingsWith({ redis: { url: 'redis://127.0.0.1:1', connect_timeout_ms: 30 } }), {
    name: 'dead',
    logger: silentLogger(),
  });
  const cache = make({}, dead);
  const key = keyOf('ann', 'how?');
  await cache.set(key, bytes('v'));
  expect(await cache.get(key)).toBeUndefined();
  expect(await cache.version('ann')).toBeUndefined();
  expect(await cache.asked.top('ann', 3)).toEqual([]);
  expect(await cache.singleFlight('k', () => Promise.resolve(1))).toMatchObject({ value: 1, leader: true });
  expect((await cache.stats()).hit_rate).toBeNull();
  // The one thing that must not be missed says so.
  await expect(cache.bumpVersion('ann')).rejects.toMatchObject({ code: 'unavailable' });
  dead.disconnect();
});

test('another user’s entries cannot be reached, whatever id and question are given', async () => {
  const cache = make();
  const hostile = constantFrom('*', '?', ':', 'a:b', 'ann:0', '[a]', '{x}', '../ann', 'ann\n', '', ' ', 'a*');
  const valid = string({ unit: constantFrom('a', 'b', '0', '-', '_'), minLength: 1, maxLength: 6 });
  await assert(
    asyncProperty(
      record({ owner: valid, other: valid, question: string({ maxLength: 40 }), version: integer({ min: 0, max: 3 }) }),
      async ({ owner, other, question, version }) => {
        const key = keyOf(owner, question, String(version));
        await cache.set(key, bytes(owner));
        const theirs = keyOf(other, question, String(version));
        expect((await cache.get(theirs))?.toString()).toBe(other === owner ? owner : undefined);
        if (other !== owner) {
          await cache.invalidate({ userId: other });
          expect((await cache.get(key))?.toString()).toBe(owner);
        }
        await cache.invalidate({ userId: owner });
      },
    ),
    { numRuns: 60 },
  );
  await assert(
    asyncProperty(hostile, async (userId) => {
      expect(() => answerCacheKey(shared.prefix, { userId, question: 'q', persona: 'default', model: 'm' })).toThrow();
      await expect(cache.invalidate({ userId })).rejects.toThrow();
    }),
  );
});

test('the parts of an answer’s key make up the key, and all that an answer depends on is in it', async () => {
  const input = { userId: 'ann', question: 'How do I descale it?', persona: 'default', model: 'm' } as const;
  const parts = answerCacheKey('{p}', input);
  expect(parts.versionKey).toBe('{p}:mv:ann');
  expect(`${parts.prefix}7${parts.suffix}`).toBe(redisKey('{p}', answerKey(input, '7')));
  const same = { ...input, question: '  how DO I\u00a0descale\tit ?! ' };
  expect(answerCacheKey('{p}', same)).toEqual(parts);
  const id = 'man_01ARZ3NDEKTSV4RRFFQ69G5FAV';
  const other = { ...input, manualIds: [id] };
  const differing = [
    { ...input, question: 'How do I descale that?' },
    { ...input, persona: 'expert' as const },
    { ...input, model: 'n' },
    { ...input, userId: 'bob' },
    { ...input, maxResults: 3 },
    other,
  ].map((each) => JSON.stringify(answerCacheKey('{p}', each)));
  expect(new Set([...differing, JSON.stringify(parts)]).size).toBe(7);
});

test('an answer comes back as it was; what another version of the code wrote is a miss', async () => {
  const answer = { question: 'q', answer: 'a', citations: [], context_used: true, model: 'm', passages: [] };
  const cache = make({ cache: { compress_above_bytes: 10 } });
  const key = keyOf('ann', 'q');
  await cache.set(key, encodeAnswer(answer));
  const stored = await redis.getBuffer(redisKey(shared.prefix, key));
  expect(await decodeStoredAnswer(stored!)).toEqual(answer);
  for (const tier of ['l2_hits', 'l1_hits'] as const) {
    expect(await cache.decodeAnswer(Buffer.from(stored!), 'ann:q')).toEqual(answer);
    expect((await cache.stats()).types.answers[tier]).toBe(1);
  }
  // The same place, another answer.
  const other = Buffer.concat([Buffer.of(0), encodeAnswer({ ...answer, answer: 'b' })]);
  expect(await cache.decodeAnswer(other, 'ann:q')).toEqual({ ...answer, answer: 'b' });
  expect(parseAnswer(Buffer.from('{"text":"old"}'))).toBeUndefined();
  expect(parseAnswer(Buffer.from('{"question":"q","ans'))).toBeUndefined();
  expect(await cache.decodeAnswer(Buffer.from([0, 123, 1]), 'ann:q')).toBeUndefined();
  expect(await decodeStoredAnswer(Buffer.from([9, 1, 2]))).toBeUndefined();
  expect(await decodeStoredAnswer(Buffer.from([1, 1, 2]))).toBeUndefined();
});

test('questions are the same whatever their case, spaces, width and end', () => {
  expect(normaliseQuestion('  Ｈow\u200b  do I…  ')).toBe('how do i');
  expect(normaliseQuestion('Wie entkalke ich?')).toBe(normaliseQuestion('wie ENTKALKE ich'));
  expect(normaliseQuestion('1.5 bar?')).toBe('1.5 bar');
});

test('likeness needs the same subject, and a word or a number that turns the meaning round forbids it', () => {
  expect(similarity('How do I descale the kettle?', 'How can I descale my kettle')).toBe(1);
  expect(similarity('How often must I descale the kettle?', 'How do I descale the kettle?')).toBeGreaterThan(0.7);
  expect(similarity('How do I turn the light on?', 'How do I turn the light off?')).toBe(0);
  expect(similarity('What does error 12 mean?', 'What does error 13 mean?')).toBe(0);
  expect(similarity('How long is the warranty?', 'How do I descale the kettle?')).toBe(0);
  expect(similarity('', 'x')).toBe(0);
});

test('the most asked questions of a user, capped, and only that user’s', async () => {
  const cache = make();
  for (const question of ['a?', 'b?', 'b?']) cache.asked.note('ann', { question, persona: 'default' });
  cache.asked.note('bob', { question: 'c?', persona: 'expert' });
  expect(await cache.asked.top('ann', 1)).toEqual([{ question: 'b?', persona: 'default' }]);
  for (let n = 0; n < 60; n += 1) cache.asked.note('ann', { question: `${n}`, persona: 'default' });
  expect(await cache.asked.top('ann', 100)).toHaveLength(50);
  expect((await cache.asked.top('ann', 1))[0]?.question).toBe('b?');
});

test('a similar question is found within the same user, version and scope only', async () => {
  const cache = make();
  const key = keyOf('ann', 'How do I descale the kettle?', '1');
  await cache.similar.note(key, 'How do I descale the kettle?', 'default|');
  const find = (userId: string, version: string, scope = 'default|') =>
    cache.similar.find({ userId, version }, 'How can I descale my kettle?', scope, 0.7);
  expect(await find('ann', '1')).toEqual([{ question: 'How do I descale the kettle?', key, similarity: 1 }]);
  for (const none of [find('bob', '1'), find('ann', '2'), find('ann', '1', 'expert|')]) expect(await none).toEqual([]);
});

import { ManuelError } from '@manuel/contracts';
import type { Settings } from '@manuel/settings';
import type { Logger, Metrics } from '@manuel/telemetry';
import type { Redis } from 'ioredis';
import { LRUCache } from 'lru-cache';
import { type CachedAnswer, decodeStoredAnswer } from './answers.ts';
import { createAskedQuestions, type AskedQuestions } from './asked-questions.ts';
import { decode, encode } from './codec.ts';
import { type CacheKey, type CacheType, cacheTypes, epochKey, redisKey, userPrefix, versionKey } from './keys.ts';
import { createQuiet } from './quiet-redis.ts';
import { createSimilarQuestions, type SimilarQuestions } from './similar-questions.ts';
import { createSingleFlight, type SingleFlight } from './single-flight.ts';
import { type CacheOutcome, type CacheStats, createStats } from './stats.ts';

/** Where the truth about a user's manuals version lies; `ledger.manuals` fits. */
export interface VersionSource {
  version(userId: string): Promise<number>;
  bumpVersion(userId: string): Promise<number>;
}

export interface CacheOptions {
  readonly settings: Settings;
  readonly logger: Logger;
  readonly metrics: Metrics;
  /** Fails fast (connectRedis of @manuel/resilience). Stays open when the cache is closed. */
  readonly redis: Redis;
  readonly versions: VersionSource;
}

export interface Cache {
  readonly enabled: boolean;
  /** The value as it was set, from this process's memory or from Redis; undefined: a miss, or Redis trouble. */
  get(key: CacheKey): Promise<Buffer | undefined>;
  /** Stores for the type's `ttl_s`; never throws. */
  set(key: CacheKey, value: Uint8Array): Promise<void>;
  /** The user's manuals version for a key; undefined when it cannot be known now, and nothing may be cached. */
  version(userId: string): Promise<string | undefined>;
  /**
   * Makes every answer of before unreachable: raises the version in the ledger, then in Redis. Throws `unavailable` when
   * Redis did not hear of it; call it again.
   */
  bumpVersion(userId: string): Promise<void>;
  /** Removes entries of a type, of a user, or of both; all when neither is given. How many were removed. */
  invalidate(what: { readonly type?: CacheType; readonly userId?: string }): Promise<number>;
  /** Counts a look that was made elsewhere (the gateway looks within its admission script). */
  note(type: CacheType, outcome: CacheOutcome): void;
  /**
   * An answer from its raw value, which the gateway's admission found under the user's current version. Where it was found
   * (`at`: the user's prefix and the question's digest) the same bytes are decoded once and then come from memory. Counts the
   * look.
   */
  decodeAnswer(stored: Uint8Array, at: string): Promise<CachedAnswer | undefined>;
  stats(): Promise<CacheStats>;
  readonly singleFlight: SingleFlight;
  readonly asked: AskedQuestions;
  readonly similar: SimilarQuestions;
  close(): Promise<void>;
}

/** Seconds the version is believed without the ledger being asked again. */
const versionTtlS = 3600;
/** Sets the version unless Redis knows a later one. */
const raiseVersion = `
local now = tonumber(redis.call('GET', KEYS[1]) or '-1')
local next = tonumber(ARGV[1])
if next < now then return tostring(now) end
redis.call('SET', KEYS[1], ARGV[1], 'EX', ARGV[2])
return ARGV[1]`;

export function createCache(options: CacheOptions): Cache {
  const { settings, logger, metrics, redis, versions } = options;
  const prefix = settings.redis.prefix;
  const quiet = createQuiet(logger);
  const aboveBytes = settings.cache.compression ? settings.cache.compress_above_bytes : Infinity;
  const memory = Object.fromEntries(
    cacheTypes.map((type) => {
      const { ttl_s, max_size } = settings.cache[type];
      return [type, new LRUCache<string, Buffer>({ max: max_size, ttl: ttl_s * 1000 })];
    }),
  ) as Record<CacheType, LRUCache<string, Buffer>>;
  const stats = createStats({
    prefix,
    metrics,
    redis: {
      hgetall: (key) => quiet('stats', () => redis.hgetall(key), {}),
      async addCounts(key, counts, lastAccess) {
        const pipeline = redis.pipeline();
        for (const [field, by] of counts) pipeline.hincrby(key, field, by);
        for (const [field, at] of lastAccess) pipeline.hset(key, field, at);
        pipeline.expire(key, 2 * 86_400);
        await quiet('stats', () => pipeline.exec(), null);
      },
    },
  });

  /** Memory keys bear the type's epoch, so that an invalidation by any process empties every memory. */
  const memoryKey = (key: CacheKey, epoch: string | null): string => `${epoch ?? 0}|${redisKey(prefix, key)}`;
  const ttlMs = (type: CacheType): number => settings.cache[type].ttl_s * 1000;

  /** The epochs as last seen. One that is behind makes an entry of this memory unreachable, never wrong. */
  const epochs = new Map<CacheType, string | null>();

  async function look(key: CacheKey): Promise<Buffer | undefined> {
    const name = redisKey(prefix, key);
    // One round trip: the memory saves decoding, and may be believed only under the epoch that holds now.
    const replies = await redis.pipeline().get(epochKey(prefix, key.type)).getBuffer(name).pttl(name).exec();
    const [epoch, stored, left] = (replies ?? []).map(([error, reply]) => {
      if (error) throw error;
      return reply;
    }) as [string | null, Buffer | null, number];
    epochs.set(key.type, epoch);
    const near = stored && memory[key.type].get(memoryKey(key, epoch));
    const value = near ?? (stored ? await decode(stored) : undefined);
    stats.note(key.type, near ? 'l1' : value ? 'l2' : 'miss');
    // Promoted for what is left of its life, not for a new one.
    if (value && !near && left > 0) memory[key.type].set(memoryKey(key, epoch), value, { ttl: left });
    return value;
  }

  async function* keysLike(pattern: string): AsyncGenerator<string[]> {
    const escaped = pattern.replace(/[[\]\\?]/g, '\\$&');
    for await (const keys of redis.scanStream({ match: escaped, count: 500 })) yield keys as string[];
  }

  const asked = createAskedQuestions({ redis, prefix, quiet });
  /** Of answers that were given out: the bytes they were stored as, and what these say. Other bytes, another answer. */
  const decoded = new LRUCache<string, { readonly stored: Buffer; readonly answer: CachedAnswer }>({
    max: settings.cache.answers.max_size,
  });

  return {
    enabled: settings.cache.enabled,
    async get(key) {
      return settings.cache.enabled ? quiet('get', () => look(key), undefined) : undefined;
    },
    async set(key, value) {
      if (!settings.cache.enabled) return;
      const stored = await encode(value, aboveBytes);
      await quiet('set', () => redis.set(redisKey(prefix, key), stored, 'PX', ttlMs(key.type)), null);
      const epoch = epochs.get(key.type);
      if (epoch !== undefined) memory[key.type].set(memoryKey(key, epoch), Buffer.from(value));
    },
    async version(userId) {
      const name = versionKey(prefix, userId);
      const known = await quiet('version', () => redis.get(name), undefined);
      if (known === undefined) return undefined;
      if (known !== null) return known;
      const version = await versions.version(userId);
      return quiet(
        'version',
        async () => String(await redis.eval(raiseVersion, 1, name, version, versionTtlS)),
        undefined,
      );
    },
    async bumpVersion(userId) {
      const version = await versions.bumpVersion(userId);
      try {
        await redis.eval(raiseVersion, 1, versionKey(prefix, userId), version, versionTtlS);
      } catch (cause) {
        throw new ManuelError('unavailable', 'Cached answers could not be withdrawn yet. Try again in a moment.', {
          cause,
        });
      }
    },
    async invalidate({ type, userId }) {
      const types = type ? [type] : cacheTypes;
      let removed = 0;
      for (const each of types) {
        const pattern = `${userId === undefined ? `${prefix}:cache:${each}:` : userPrefix(prefix, each, userId)}*`;
        for await (const keys of keysLike(pattern)) if (keys.length > 0) removed += await redis.unlink(...keys);
        await redis.incr(epochKey(prefix, each));
      }
      logger.info('cache invalidated', { type: type ?? 'all', of_user: userId ?? 'all', removed });
      return removed;
    },
    note: (type, outcome) => stats.note(type, outcome),
    async decodeAnswer(stored, at) {
      const near = decoded.get(at);
      if (near?.stored.equals(stored)) {
        stats.note('answers', 'l1');
        return near.answer;
      }
      const answer = await decodeStoredAnswer(stored);
      stats.note('answers', answer ? 'l2' : 'miss');
      if (answer) decoded.set(at, { stored: Buffer.from(stored), answer });
      return answer;
    },
    stats: () => stats.read(),
    singleFlight: createSingleFlight({ redis, prefix, quiet }),
    asked,
    similar: createSimilarQuestions({ redis, prefix, quiet, ttlS: settings.cache.answers.ttl_s }),
    async close() {
      await Promise.all([stats.flush(), asked.flush()]);
      stats.close();
    },
  };
}

import type { Settings } from '@manuel/settings';
import type { Redis } from 'ioredis';
import type { Limiter } from '../domain/outside.ts';

/** Width of a place in time, milliseconds. */
const bucketMs = 200;
const bucketsPerS = 1000 / bucketMs;
/** A place more than this far ahead is not looked for: come back then. */
const horizonMs = 120_000;
/** Longest that a job may count as running when nobody says that it ended. */
const leaseMs = 3_600_000;

/**
 * Takes the first bucket from `now + earliest` on that has room. Times are Redis' own, so that all workers agree.
 * KEYS: any key of the slot. ARGV: key prefix, calls a bucket, earliest (ms), bucket width (ms), horizon (ms).
 * Replies in how many milliseconds the bucket begins; 0: it has begun.
 */
const reserveScript = `
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
local width = tonumber(ARGV[4])
local last = math.floor((now + tonumber(ARGV[5])) / width)
for bucket = math.floor((now + tonumber(ARGV[3])) / width), last do
  local key = ARGV[1] .. bucket
  local taken = tonumber(redis.call('GET', key) or '0')
  if taken < tonumber(ARGV[2]) or bucket == last then
    if bucket < last then
      redis.call('SET', key, taken + 1, 'PX', (bucket + 1) * width - now + 5000)
    end
    return math.max(0, bucket * width - now)
  end
end
return tonumber(ARGV[5])`;

/** KEYS: set of running jobs by the time their lease ends. ARGV: name, most, lease (ms). Replies 1 when the name is in it. */
const occupyScript = `
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
if not redis.call('ZSCORE', KEYS[1], ARGV[1]) and redis.call('ZCARD', KEYS[1]) >= tonumber(ARGV[2]) then return 0 end
redis.call('ZADD', KEYS[1], now + tonumber(ARGV[3]), ARGV[1])
redis.call('PEXPIRE', KEYS[1], ARGV[3])
return 1`;

/**
 * Transcribe's limits shared by all workers. Six buckets may touch a sliding second, so each holds a sixth of the rate: then
 * no second ever sees more than Transcribe allows.
 */
export function createLimiter(redis: Redis, settings: Pick<Settings, 'redis' | 'transcribe'>): Limiter {
  const base = `${settings.redis.prefix}:transcribe`;
  const running = `${base}:running`;
  const perBucket = (perSecond: number): number => Math.max(1, Math.floor(perSecond / (bucketsPerS + 1)));
  const rates = {
    start: perBucket(settings.transcribe.start_per_s),
    get: perBucket(settings.transcribe.get_per_s),
  };
  return {
    async reserve(call, earliestMs = 0) {
      const prefix = `${base}:${call}:`;
      const reply = await redis.eval(
        reserveScript,
        1,
        prefix,
        prefix,
        rates[call],
        Math.round(earliestMs),
        bucketMs,
        horizonMs,
      );
      return Number(reply);
    },
    async occupy(name) {
      return (await redis.eval(occupyScript, 1, running, name, settings.transcribe.max_running, leaseMs)) === 1;
    },
    async vacate(name) {
      await redis.zrem(running, name);
    },
  };
}

import { randomUUID } from 'node:crypto';
import type { Redis } from 'ioredis';
import { ManuelError } from '@manuel/contracts';
import type { Settings } from '@manuel/settings';
import type { Logger } from '@manuel/telemetry';
import type { LivePlaces } from '../domain/outside.ts';

/**
 * KEYS: the user's places by the time their leases end. ARGV: place, most, lease (ms). Replies 1 when the place was taken.
 */
const takeScript = `
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
if redis.call('ZCARD', KEYS[1]) >= tonumber(ARGV[2]) then return 0 end
redis.call('ZADD', KEYS[1], now + tonumber(ARGV[3]), ARGV[1])
redis.call('PEXPIRE', KEYS[1], ARGV[3])
return 1`;

/** A place that is free again soon: questions last seconds. */
const retryAfterMs = 10_000;

/**
 * Places for live microphones: so many on this gateway, so many of one user on all gateways. The
 * place of a gateway that died lapses.
 */
export function createLivePlaces(
  redis: Redis,
  settings: Pick<Settings, 'redis' | 'transcribe'>,
  logger: Logger,
): LivePlaces & { readonly taken: number } {
  const { live_max_per_gateway, live_max_per_user, live_max_session_s, live_start_timeout_ms, live_finish_timeout_ms } =
    settings.transcribe;
  const leaseMs = live_max_session_s * 1000 + live_start_timeout_ms + 2 * live_finish_timeout_ms;
  let taken = 0;

  async function takeOfUser(key: string, place: string): Promise<boolean> {
    try {
      return (await redis.eval(takeScript, 1, key, place, live_max_per_user, leaseMs)) === 1;
    } catch (cause) {
      throw new ManuelError('unavailable', 'Nobody can be listened to at the moment. Try again soon.', { cause });
    }
  }

  return {
    get taken() {
      return taken;
    },
    async take(userId) {
      if (taken >= live_max_per_gateway) {
        throw new ManuelError('unavailable', 'Too many people are speaking at the moment. Try again soon.', {
          retryAfterMs,
        });
      }
      const key = `${settings.redis.prefix}:live:${userId}`;
      const place = randomUUID();
      taken += 1;
      try {
        if (!(await takeOfUser(key, place))) {
          throw new ManuelError(
            'rate_limited',
            `${live_max_per_user} of your microphones are open already. End one first.`,
            {
              retryAfterMs,
            },
          );
        }
      } catch (error) {
        taken -= 1;
        throw error;
      }
      return () => {
        taken -= 1;
        redis.zrem(key, place).catch((error: unknown) => logger.debug('a live place lapses by itself', { error }));
      };
    },
  };
}

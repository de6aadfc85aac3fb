import { Redis } from 'ioredis';
import type { Settings } from '@manuel/settings';
import type { Logger } from '@manuel/telemetry';

/**
 * The gateway's own connection, for rate limits and WebSocket tickets (the queues have theirs). A command fails at once while
 * Redis is away and after `redis.command_timeout_ms` when it is silent; nothing is queued for later. It connects by itself,
 * now and again after each loss.
 */
export function connectRedis(settings: Pick<Settings, 'redis'>, logger: Logger): Redis {
  const redis = new Redis(settings.redis.url, {
    enableOfflineQueue: false,
    commandTimeout: settings.redis.command_timeout_ms,
    connectTimeout: settings.redis.connect_timeout_ms,
    maxRetriesPerRequest: 0,
    retryStrategy: (times) => Math.min(50 * 2 ** Math.min(times, 6), 1000),
  });
  let down = false;
  redis.on('error', (error) => {
    // One line an outage, not one a try.
    if (!down) logger.warn('Redis does not answer', { error });
    down = true;
  });
  redis.on('ready', () => {
    if (down) logger.info('Redis answers again');
    down = false;
  });
  return redis;
}

import type { Settings } from '@manuel/settings';
import type { Logger } from '@manuel/telemetry';
import { Redis } from 'ioredis';

/**
 * A connection for what may be missed: breakers, caches, locks. It fails fast (no offline queue, a limit on each command)
 * and comes back by itself. Resolves when it is connected, or after `redis.connect_timeout_ms` all the same.
 */
export async function connectRedis(
  settings: Pick<Settings, 'redis'>,
  options: { readonly name: string; readonly logger: Logger },
): Promise<Redis> {
  const redis = new Redis(settings.redis.url, {
    connectionName: options.name,
    connectTimeout: settings.redis.connect_timeout_ms,
    commandTimeout: settings.redis.command_timeout_ms,
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    autoResendUnfulfilledCommands: false,
    retryStrategy: (times) => Math.min(times * 100, 1000),
  });
  let lost = false;
  redis.on('error', (error: Error) => {
    if (!lost) options.logger.warn('Redis cannot be reached', { connection: options.name, error });
    lost = true;
  });
  redis.on('ready', () => {
    if (lost) options.logger.info('Redis is back', { connection: options.name });
    lost = false;
  });
  await new Promise<void>((resolve) => {
    const timer = setTimeout(resolve, settings.redis.connect_timeout_ms);
    redis.once('ready', () => {
      clearTimeout(timer);
      resolve();
    });
  });
  return redis;
}

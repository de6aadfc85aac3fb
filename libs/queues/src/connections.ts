import { ManuelError } from '@manuel/contracts';
import type { Settings } from '@manuel/settings';
import type { Logger } from '@manuel/telemetry';
import { Redis } from 'ioredis';
import { coalesceWrites } from './coalesce-writes.ts';

const reconnectDelay = (tries: number): number => Math.min(50 * 2 ** Math.min(tries, 6), 2000);

/** For those who answer a person: no queue while offline, a time limit for each command. */
export function connectProducer(settings: Settings, logger: Logger): Redis {
  const redis = new Redis(settings.redis.url, {
    enableOfflineQueue: false,
    commandTimeout: settings.redis.command_timeout_ms,
    connectTimeout: settings.redis.connect_timeout_ms,
    maxRetriesPerRequest: 0,
    retryStrategy: reconnectDelay,
    connectionName: 'manuel-producer',
  });
  coalesceWrites(redis);
  return loggingErrors(redis, logger);
}

/** For workers: commands wait for Redis to come back. Each is sent at once, so that Redis works while the next is made. */
export function connectWorker(settings: Settings, logger: Logger): Redis {
  const redis = new Redis(settings.redis.url, {
    maxRetriesPerRequest: null,
    connectTimeout: settings.redis.connect_timeout_ms,
    retryStrategy: reconnectDelay,
    connectionName: 'manuel-worker',
  });
  return loggingErrors(redis, logger);
}

/** For the subscriber of a gateway: comes back by itself. */
export function connectSubscriber(settings: Settings, logger: Logger): Redis {
  const redis = new Redis(settings.redis.url, {
    maxRetriesPerRequest: null,
    connectTimeout: settings.redis.connect_timeout_ms,
    // The hub does it itself, so that it knows when to read what was missed.
    autoResubscribe: false,
    retryStrategy: reconnectDelay,
    connectionName: 'manuel-events',
  });
  return loggingErrors(redis, logger);
}

function loggingErrors(redis: Redis, logger: Logger): Redis {
  let last = '';
  redis.on('error', (error: Error) => {
    // One line for each kind of trouble, not one a reconnect.
    if (error.message !== last) logger.warn('redis connection trouble', { error });
    last = error.message;
  });
  redis.on('ready', () => {
    if (last !== '') logger.info('redis is back');
    last = '';
  });
  return redis;
}

/** Replies and connection errors that mean "not now" rather than "wrong". */
const notNow =
  /^(LOADING|READONLY|OOM|MISCONF|MASTERDOWN|CLUSTERDOWN|TRYAGAIN|BUSY|NOREPLICAS|UNBLOCKED)|Command timed out|Connection (is closed|ended|lost)|isn't writeable|max retries per request|ECONN|EPIPE|ETIMEDOUT|EHOSTUNREACH|ENOTFOUND|EAI_AGAIN/;

/** True for whatever keeps Redis from answering; false for a command that was wrong, or a fault elsewhere. */
export const isOutage = (error: unknown): boolean =>
  error instanceof Error && (notNow.test(error.message) || ('code' in error && notNow.test(String(error.code))));

/** Runs a command for a person: whatever keeps Redis from answering becomes `unavailable`. */
export async function orUnavailable<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!isOutage(error)) throw error;
    throw new ManuelError('unavailable', 'The job queue cannot be reached at the moment. Please try again shortly.', {
      cause: error,
      retryAfterMs: 2000,
    });
  }
}

/** Milliseconds a service that starts beside a living Redis waits, so that it is ready when it says so. */
const readyMs = 1000;

/** Resolves once the connection is there, or a second later: a service must start without Redis, too. */
export async function readyOrLate(redis: Redis): Promise<void> {
  if (redis.status === 'ready') return;
  await new Promise<void>((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      redis.off('ready', done);
      resolve();
    };
    const timer = setTimeout(done, readyMs);
    redis.once('ready', done);
  });
}

/** Ends a connection without waiting for a Redis that may be gone. */
export async function disconnect(redis: Redis): Promise<void> {
  if (redis.status === 'end') return;
  const ended = new Promise<void>((resolve) => redis.once('end', resolve));
  redis.disconnect();
  await Promise.race([ended, new Promise((resolve) => setTimeout(resolve, 500).unref())]);
}

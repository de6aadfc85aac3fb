import { randomUUID } from 'node:crypto';
import type { QueueContext } from './context.ts';
import { unlockScript } from './scripts/lock.ts';
import { run } from './scripts/script.ts';

/** Runs `work` if no other process is at it; renews the lock meanwhile. Undefined: another is. */
export async function withLock<T>(
  context: QueueContext,
  name: string,
  ttlMs: number,
  work: () => Promise<T>,
): Promise<T | undefined> {
  const { redis, keys, logger } = context;
  const key = keys.lock(name);
  const token = randomUUID();
  if ((await redis.set(key, token, 'PX', ttlMs, 'NX')) !== 'OK') return undefined;
  const renewal = setInterval(() => {
    redis.pexpire(key, ttlMs).catch((error: unknown) => logger.debug('a lock was not renewed', { lock: name, error }));
  }, ttlMs / 3);
  try {
    return await work();
  } finally {
    clearInterval(renewal);
    await run(redis, unlockScript, keys.prefix, [key, token]);
  }
}

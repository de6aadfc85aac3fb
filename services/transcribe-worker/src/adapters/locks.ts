import type { Settings } from '@manuel/settings';
import { randomUUID } from 'node:crypto';
import type { Redis } from 'ioredis';
import type { Locks } from '../domain/outside.ts';

/** Deletes the lock only while it is ours. */
const releaseScript = `
if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end
return 0`;

/** Locks that lapse by themselves: for what is better not done twice, not for what must not be. */
export function createLocks(redis: Redis, settings: Pick<Settings, 'redis'>): Locks {
  const owner = randomUUID();
  const keyOf = (name: string): string => `${settings.redis.prefix}:transcribe:lock:${name}`;
  return {
    take: async (name, ms) => (await redis.set(keyOf(name), owner, 'PX', ms, 'NX')) === 'OK',
    release: async (name) => void (await redis.eval(releaseScript, 1, keyOf(name), owner)),
  };
}

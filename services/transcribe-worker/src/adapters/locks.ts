import type { Settings } from '@manuel/settings';
import { randomUUID } from 'node:crypto';
import type { Redis } from 'ioredis';
import type { Locks } from '../domain/outside.ts';

/** Deletes the lock only while it is ours. */
const releaseScript = `
if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end
return 0`;
/** Keeps it only while it is ours. */
const renewScript = `
if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('PEXPIRE', KEYS[1], ARGV[2]) end
return 0`;

/** Milliseconds until the lock of a holder that died lapses. */
const defaultLeaseMs = 2000;

/** Locks that lapse by themselves: for what is better not done twice, not for what must not be. */
export function createLocks(redis: Redis, settings: Pick<Settings, 'redis'>, leaseMs = defaultLeaseMs): Locks {
  const keyOf = (name: string): string => `${settings.redis.prefix}:transcribe:lock:${name}`;
  const set = async (name: string, owner: string, ms: number): Promise<boolean> =>
    (await redis.set(keyOf(name), owner, 'PX', ms, 'NX')) === 'OK';
  return {
    take: (name, ms) => set(name, randomUUID(), ms),
    async hold(name, work) {
      const owner = randomUUID();
      if (!(await set(name, owner, leaseMs))) return undefined;
      const renewal = setInterval(() => {
        // One that fails is made up for by the next.
        redis.eval(renewScript, 1, keyOf(name), owner, leaseMs).catch(() => undefined);
      }, leaseMs / 4);
      try {
        return { done: await work() };
      } finally {
        clearInterval(renewal);
        await redis.eval(releaseScript, 1, keyOf(name), owner);
      }
    },
  };
}

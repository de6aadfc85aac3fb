import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Redis } from 'ioredis';
import type { createQuiet } from './quiet-redis.ts';

export interface Flight<T> {
  readonly value: T;
  /** False: another did the work. */
  readonly leader: boolean;
}

/**
 * Runs `work` once for all who ask for the same key at the same time, in whichever process; the others get its value
 * (JSON). When the one who works fails, is cancelled or dies, the next one works. Redis trouble: everybody works.
 */
export type SingleFlight = <T>(
  key: string,
  work: () => Promise<T>,
  options?: {
    readonly signal?: AbortSignal;
    /** Whether the others may have this value; else each does the work itself. */
    readonly share?: (value: T) => boolean;
  },
) => Promise<Flight<T>>;

const lockMs = 5000;
const renewMs = 1500;
const resultMs = 15_000;
const pollMs = 40;

const ifHeld = (command: string): string =>
  `if redis.call('GET', KEYS[1]) == ARGV[1] then return ${command} end return 0`;
const renew = ifHeld("redis.call('PEXPIRE', KEYS[1], ARGV[2])");
/** Leaves the value for the others (none: '') and gives the lock back. */
const land = `
if ARGV[2] ~= '' then redis.call('SET', KEYS[2], ARGV[2], 'PX', ARGV[3]) end
${ifHeld("redis.call('DEL', KEYS[1])")}`;

export function createSingleFlight(deps: {
  readonly redis: Redis;
  readonly prefix: string;
  readonly quiet: ReturnType<typeof createQuiet>;
}): SingleFlight {
  const { redis, prefix, quiet } = deps;

  async function lead<T>(lock: string, token: string, work: () => Promise<T>): Promise<T> {
    const timer = setInterval(() => void quiet('flight', () => redis.eval(renew, 1, lock, token, lockMs), 0), renewMs);
    try {
      return await work();
    } finally {
      clearInterval(timer);
    }
  }

  return async (key, work, options = {}) => {
    const lock = `${prefix}:flight:${key}`;
    const result = `${prefix}:flight-result:${key}`;
    const token = randomUUID();
    for (;;) {
      options.signal?.throwIfAborted();
      const held = await quiet('flight', () => redis.set(lock, token, 'PX', lockMs, 'NX'), 'trouble' as const);
      if (held === 'trouble') return { value: await work(), leader: true };
      if (held === 'OK') {
        const give = (value: string): Promise<unknown> =>
          quiet('flight', () => redis.eval(land, 2, lock, result, token, value, resultMs), 0);
        try {
          const value = await lead(lock, token, work);
          await give((options.share?.(value) ?? true) ? JSON.stringify(value) : '');
          return { value, leader: true };
        } catch (error) {
          await give('');
          throw error;
        }
      }
      const landed = await waitForLanding(redis, lock, result, options.signal, quiet);
      // Safe: what lies there is what another's `work` of the same key gave.
      if (landed !== undefined) return { value: JSON.parse(landed) as Awaited<ReturnType<typeof work>>, leader: false };
    }
  };
}

/** The leader's value; undefined when the lock is gone without one. */
async function waitForLanding(
  redis: Redis,
  lock: string,
  result: string,
  signal: AbortSignal | undefined,
  quiet: ReturnType<typeof createQuiet>,
): Promise<string | undefined> {
  for (;;) {
    const [value, holder] = await quiet('flight', () => redis.mget(result, lock), [null, null]);
    if (value) return value;
    if (!holder) return undefined;
    await sleep(pollMs, undefined, signal ? { signal } : {});
  }
}

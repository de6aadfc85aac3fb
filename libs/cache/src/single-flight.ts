import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Redis } from 'ioredis';
import type { createQuiet } from './quiet-redis.ts';

export interface Flight<T> {
  readonly value: T;
  /** False: another did the work. */
  readonly leader: boolean;
  /** Settles once the others have the value and the next may work. Never fails. */
  readonly landed: Promise<void>;
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
    /** What the one who worked does with the value before the next may work; nobody waits for it but `landed`. Must not fail. */
    readonly keep?: (value: T) => Promise<void>;
  },
) => Promise<Flight<T>>;

/** Shorter than a dead worker's job is left to it: who takes that over finds the lock lapsed. */
const lockMs = 1500;
const renewMs = 400;
const resultMs = 15_000;
const pollMs = 40;

const ifHeld = (command: string): string =>
  `if redis.call('GET', KEYS[1]) == ARGV[1] then return ${command} end return 0`;
const renew = ifHeld("redis.call('PEXPIRE', KEYS[1], ARGV[2])");
/** Leaves the value for the others (none: '') and gives the lock back. */
const landing = `
if ARGV[2] ~= '' then redis.call('SET', KEYS[2], ARGV[2], 'PX', ARGV[3]) end
${ifHeld("redis.call('DEL', KEYS[1])")}`;

export function createSingleFlight(deps: {
  readonly redis: Redis;
  readonly prefix: string;
  readonly quiet: ReturnType<typeof createQuiet>;
}): SingleFlight {
  const { redis, prefix, quiet } = deps;

  /** Keeps the lock until it is given back. */
  function hold(lock: string, token: string): () => void {
    const timer = setInterval(() => void quiet('flight', () => redis.eval(renew, 1, lock, token, lockMs), 0), renewMs);
    return () => clearInterval(timer);
  }

  return async (key, work, options = {}) => {
    const lock = `${prefix}:flight:${key}`;
    const result = `${prefix}:flight-result:${key}`;
    const token = randomUUID();
    // Safe: what lies there is what another's `work` of the same key gave.
    const landedBy = (value: string) => ({
      value: JSON.parse(value) as Awaited<ReturnType<typeof work>>,
      leader: false,
      landed: Promise.resolve(),
    });
    for (let waited = false; ; waited = true) {
      options.signal?.throwIfAborted();
      const held = await quiet('flight', () => redis.set(lock, token, 'PX', lockMs, 'NX'), 'trouble' as const);
      if (held === 'trouble') {
        const value = await work();
        return { value, leader: true, landed: options.keep?.(value) ?? Promise.resolve() };
      }
      if (held === 'OK') {
        // Between the end of one leader, which left nothing, and our turn another may have led and landed.
        const meanwhile = waited ? await quiet('flight', () => redis.get(result), null) : null;
        if (meanwhile !== null) {
          await quiet('flight', () => redis.eval(landing, 2, lock, result, token, '', resultMs), 0);
          return landedBy(meanwhile);
        }
        const release = hold(lock, token);
        const land = async (value: string): Promise<void> => {
          release();
          await quiet('flight', () => redis.eval(landing, 2, lock, result, token, value, resultMs), 0);
        };
        try {
          const value = await work();
          const keepAndLand = async (): Promise<void> => {
            try {
              await options.keep?.(value);
            } finally {
              // Whatever became of the keeping: a lock that is not given back would be renewed for good.
              await land(JSON.stringify(value));
            }
          };
          return { value, leader: true, landed: keepAndLand() };
        } catch (error) {
          await land('');
          throw error;
        }
      }
      const landed = await waitForLanding(redis, lock, result, options.signal, quiet);
      if (landed !== undefined) return landedBy(landed);
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

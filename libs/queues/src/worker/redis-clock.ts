import type { Redis } from 'ioredis';

/** Milliseconds between two looks. */
const everyMs = 30_000;
/** Milliseconds; a longer round trip tells nothing. */
const longestRoundTripMs = 100;

/** By how many milliseconds Redis' clock is ahead of this host's, as far as is known. Looks again now and then when asked. */
export function watchRedisClock(redis: Pick<Redis, 'status' | 'time'>): () => number {
  let aheadMs = 0;
  let lookedAt = Number.NEGATIVE_INFINITY;

  async function look(): Promise<void> {
    const sent = performance.now();
    const [seconds, micros] = await redis.time();
    if (performance.now() - sent > longestRoundTripMs) return;
    aheadMs = Math.round(Number(seconds) * 1000 + Number(micros) / 1000 - Date.now());
  }

  return () => {
    if (performance.now() - lookedAt > everyMs && redis.status === 'ready') {
      lookedAt = performance.now();
      // What fails is looked at again.
      look().catch(() => undefined);
    }
    return aheadMs;
  };
}

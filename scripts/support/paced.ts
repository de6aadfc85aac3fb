import { setTimeout as sleep } from 'node:timers/promises';

/** Requests left and seconds until there are more, of the tightest policy that a response names (draft-8 `RateLimit`). */
export function tightestLimit(header: string | null): { remaining: number; resetS: number } | undefined {
  const policies = [...(header ?? '').matchAll(/;\s*r=(\d+)\s*;\s*t=(\d+)/g)].map(([, r, t]) => ({
    remaining: Number(r),
    resetS: Number(t),
  }));
  return policies.toSorted((a, b) => a.remaining - b.remaining)[0];
}

/** Kept free, for what else comes from this address. */
const spare = 3;

/**
 * Sends requests one after the other no faster than the service allows: waits when its limit is nearly used up, and again as
 * long as `Retry-After` says when it was reached all the same. Milliseconds are of the request alone, without the waits.
 */
export function createPacer(
  onWait: (seconds: number) => void,
): (send: () => Promise<Response>) => Promise<{ response: Response; ms: number }> {
  let waitMs = 0;
  return async (send) => {
    for (;;) {
      if (waitMs > 0) {
        onWait(Math.ceil(waitMs / 1000));
        await sleep(waitMs);
      }
      const started = performance.now();
      const response = await send();
      const ms = performance.now() - started;
      const limit = tightestLimit(response.headers.get('ratelimit'));
      waitMs = limit && limit.remaining <= spare ? limit.resetS * 1000 + 250 : 0;
      if (response.status !== 429) return { response, ms };
      const problem = (await response.clone().json()) as { code?: string };
      // A used-up quota comes back tomorrow: that is not worth waiting for.
      if (problem.code !== 'rate_limited') return { response, ms };
      waitMs = Math.max(waitMs, Number(response.headers.get('retry-after') ?? 1) * 1000);
    }
  };
}

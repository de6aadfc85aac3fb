import { BulkheadRejectedError, bulkhead, type BulkheadPolicy } from 'cockatiel';
import type { UpstreamName } from './types.ts';

/** Limits the calls in flight to one upstream, so that a slow one cannot take the process's every socket. */
export function createBulkheads(limits: { readonly maxConcurrent: number; readonly maxQueued: number }): {
  run<T>(upstream: UpstreamName, work: () => Promise<T>, signal: AbortSignal): Promise<T>;
  inFlight(upstream: UpstreamName): number;
} {
  const policies = new Map<UpstreamName, BulkheadPolicy>();
  function of(upstream: UpstreamName): BulkheadPolicy {
    const found = policies.get(upstream);
    if (found) return found;
    const fresh = bulkhead(limits.maxConcurrent, limits.maxQueued);
    policies.set(upstream, fresh);
    return fresh;
  }
  return {
    run: (upstream, work, signal) => of(upstream).execute(work, signal),
    inFlight: (upstream) => limits.maxConcurrent - of(upstream).executionSlots,
  };
}

export const isBulkheadFull = (error: unknown): boolean => error instanceof BulkheadRejectedError;

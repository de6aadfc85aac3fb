import type { RetryPolicySettings } from '@manuel/settings';

/**
 * Milliseconds to wait before try number `retry` + 1 (`retry` counts from 1), at most `max_delay_ms`.
 *
 * fixed: base. linear: base × retry. exponential: base × 2^(retry−1). jittered: anything from 0 to the exponential delay
 * ("full jitter"). The others, with `jitter` on, keep half and spread the other half ("equal jitter"), both after
 * https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/
 */
export function backoffMs(policy: RetryPolicySettings, retry: number, random: () => number = Math.random): number {
  const { strategy, base_delay_ms: base, max_delay_ms: max } = policy;
  const grown = strategy === 'fixed' ? base : strategy === 'linear' ? base * retry : base * 2 ** (retry - 1);
  const capped = Math.min(grown, max);
  if (strategy === 'jittered') return Math.round(random() * capped);
  return policy.jitter ? Math.round(capped / 2 + (random() * capped) / 2) : capped;
}

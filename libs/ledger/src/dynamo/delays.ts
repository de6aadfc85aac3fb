import type { Settings } from '@manuel/settings';

type Policy = Settings['retry']['dynamodb'];

/** Milliseconds before retry number `retry` (0: the first). With jitter: anything from 0 up to the full delay. */
export function delayBefore(policy: Policy, retry: number, random: () => number = Math.random): number {
  const grown = {
    exponential: policy.base_delay_ms * 2 ** retry,
    jittered: policy.base_delay_ms * 2 ** retry,
    linear: policy.base_delay_ms * (retry + 1),
    fixed: policy.base_delay_ms,
  }[policy.strategy];
  const full = Math.min(grown, policy.max_delay_ms);
  return policy.jitter || policy.strategy === 'jittered' ? full * random() : full;
}

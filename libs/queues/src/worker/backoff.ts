import { ManuelError } from '@manuel/contracts';
import type { Settings } from '@manuel/settings';

type Policy = Settings['retry'][keyof Settings['retry']];

/**
 * Milliseconds before the next try. `attempt` counts from 1. Full-range jitter for `jittered`, +-25% where a policy asks for
 * it; never above the policy's cap, never below what the failed service asked for.
 */
export function retryDelayMs(policy: Policy, attempt: number, error: unknown, random = Math.random): number {
  const base = policy.base_delay_ms;
  const exponential = base * 2 ** Math.min(attempt - 1, 30);
  let delay: number;
  switch (policy.strategy) {
    case 'fixed':
      delay = base;
      break;
    case 'linear':
      delay = base * attempt;
      break;
    case 'exponential':
      delay = exponential;
      break;
    case 'jittered':
      delay = exponential * random();
      break;
  }
  if (policy.jitter && policy.strategy !== 'jittered') delay *= 0.75 + random() * 0.5;
  const asked = error instanceof ManuelError ? (error.retryAfterMs ?? 0) : 0;
  return Math.round(Math.max(Math.min(delay, policy.max_delay_ms), asked));
}

import { expect, test } from '@jest/globals';
import { assert, double, integer, property } from 'fast-check';
import { retryPolicySchema } from '@manuel/settings';
import { backoffMs } from './backoff.ts';
import { parseRetryAfter } from './retry-after.ts';

const policy = (strategy: 'exponential' | 'linear' | 'fixed' | 'jittered', jitter = false) =>
  retryPolicySchema.parse({ strategy, max_retries: 5, base_delay_ms: 100, max_delay_ms: 1000, jitter });

test('each strategy grows as it says and stops at the cap', () => {
  const delays = (strategy: 'exponential' | 'linear' | 'fixed'): number[] =>
    [1, 2, 3, 4, 5].map((retry) => backoffMs(policy(strategy), retry));
  expect(delays('exponential')).toEqual([100, 200, 400, 800, 1000]);
  expect(delays('linear')).toEqual([100, 200, 300, 400, 500]);
  expect(delays('fixed')).toEqual([100, 100, 100, 100, 100]);
});

test('jitter keeps at least half, full jitter may be anything below; none passes the cap', () => {
  assert(
    property(integer({ min: 1, max: 20 }), double({ min: 0, max: 0.999, noNaN: true }), (retry, chance) => {
      const plain = backoffMs(policy('exponential'), retry);
      const half = backoffMs(policy('exponential', true), retry, () => chance);
      const full = backoffMs(policy('jittered'), retry, () => chance);
      expect(half).toBeGreaterThanOrEqual(plain / 2);
      expect(half).toBeLessThanOrEqual(plain);
      expect(full).toBeGreaterThanOrEqual(0);
      expect(full).toBeLessThanOrEqual(plain);
    }),
  );
  expect(backoffMs(policy('jittered'), 3, () => 0.5)).toBe(200);
});

test('Retry-After is read as seconds or as a date', () => {
  const now = Date.parse('2026-01-01T00:00:00Z');
  expect(parseRetryAfter('3', now)).toBe(3000);
  expect(parseRetryAfter('Thu, 01 Jan 2026 00:00:10 GMT', now)).toBe(10_000);
  expect(parseRetryAfter('Wed, 31 Dec 2025 00:00:10 GMT', now)).toBe(0);
  expect(parseRetryAfter('soon', now)).toBeUndefined();
});

import { expect, test } from '@jest/globals';
import { settingsWith } from '@manuel/settings';
import * as fc from 'fast-check';
import { recoveryTimes } from './recovery-times.ts';

const ms = fc.integer({ min: 1, max: 120_000 });

test('whatever is set, a dead worker’s job is taken over and a lost row is swept within two sweeps', () => {
  fc.assert(
    fc.property(ms, ms, ms, ms, (lock, stalled, grace, sweep) => {
      const { lockMs, stalledIntervalMs, graceMs } = recoveryTimes(
        settingsWith({
          queue: { lock_ms: lock, stalled_interval_ms: stalled },
          ledger: { sweep_grace_ms: grace, sweep_interval_ms: sweep },
        }),
      );
      expect(Math.min(lockMs, stalledIntervalMs)).toBeGreaterThan(0);
      expect(lockMs + stalledIntervalMs).toBeLessThan(2 * sweep + 1);
      expect(graceMs + sweep).toBeLessThan(2 * sweep);
      expect([lockMs <= lock, stalledIntervalMs <= stalled, graceMs <= grace]).toEqual([true, true, true]);
    }),
  );
});

import type { QueueContext } from './context.ts';

export interface RecoveryTimes {
  /** Milliseconds until a dead worker's lock on a job lapses. */
  readonly lockMs: number;
  /** Milliseconds between two looks for jobs whose lock lapsed. */
  readonly stalledIntervalMs: number;
  /** Milliseconds a young row is left to its gateway by the sweeper. */
  readonly graceMs: number;
}

/**
 * Every accepted job ends within two sweeps, whoever died. So, however long the settings would have it, a dead worker's job is
 * taken over after one and a half sweep intervals at most, and no row is too young for the sweeper for more than half of one.
 */
export function recoveryTimes({ queue, ledger }: QueueContext['settings']): RecoveryTimes {
  const sweepMs = ledger.sweep_interval_ms;
  return {
    lockMs: Math.min(queue.lock_ms, sweepMs),
    stalledIntervalMs: Math.min(queue.stalled_interval_ms, Math.ceil(sweepMs / 2)),
    graceMs: Math.min(ledger.sweep_grace_ms, Math.floor(sweepMs / 2)),
  };
}

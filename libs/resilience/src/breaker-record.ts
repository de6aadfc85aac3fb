/**
 * One breaker, as it is shared. Clean (no failures, never opened) is `cleanRecord`; no record means the same.
 *
 *   closed --threshold failures in a row--> open --trial claimed--> half-open --success--> closed
 *                                             ^--------trial failed------'
 */
export interface BreakerRecord {
  /** Failures in a row. */
  readonly failures: number;
  /** When it opened, or when its last trial failed; 0 while closed. Milliseconds since 1970. */
  readonly openedAt: number;
  /** Trials under way while half-open. */
  readonly trials: number;
  /** When the trials under way count as lost (their process died). */
  readonly trialsUntil: number;
}

export interface BreakerLimits {
  readonly threshold: number;
  readonly openMs: number;
  readonly probes: number;
  /** Longest time a trial may take. */
  readonly trialMs: number;
}

export const cleanRecord: BreakerRecord = { failures: 0, openedAt: 0, trials: 0, trialsUntil: 0 };

export const isClean = (record: BreakerRecord): boolean => record.failures === 0 && record.openedAt === 0;

export function stateOf(record: BreakerRecord, now: number): 'closed' | 'open' | 'half-open' {
  if (record.openedAt === 0) return 'closed';
  return record.trials > 0 && record.trialsUntil > now ? 'half-open' : 'open';
}

/** A failed call; a failed trial keeps it open from now on again. Late failures of calls from before change nothing. */
export function afterFailure(record: BreakerRecord, trial: boolean, now: number, limits: BreakerLimits): BreakerRecord {
  const failures = record.failures + 1;
  if (record.openedAt > 0) {
    if (!trial) return record;
    return { ...record, failures, openedAt: now, trials: Math.max(0, record.trials - 1) };
  }
  return { ...cleanRecord, failures, openedAt: failures >= limits.threshold ? now : 0 };
}

/** A call that went well. While open only a trial counts: other successes are older than the trouble. */
export const afterSuccess = (record: BreakerRecord, trial: boolean): BreakerRecord =>
  record.openedAt > 0 && !trial ? record : cleanRecord;

/** A trial that says nothing about the upstream (cancelled, our own mistake). */
export const afterRelease = (record: BreakerRecord): BreakerRecord =>
  record.trials > 0 ? { ...record, trials: record.trials - 1 } : record;

/** The record with one more trial, or undefined when none is allowed now. `early`: a probe, which need not wait. */
export function claimTrial(
  record: BreakerRecord,
  early: boolean,
  now: number,
  limits: BreakerLimits,
): BreakerRecord | undefined {
  if (record.openedAt === 0) return undefined;
  if (!early && now - record.openedAt < limits.openMs) return undefined;
  const running = record.trialsUntil > now ? record.trials : 0;
  if (running >= limits.probes) return undefined;
  return { ...record, trials: running + 1, trialsUntil: now + limits.trialMs };
}

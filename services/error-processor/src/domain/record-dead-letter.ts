import { derivedId } from '@manuel/contracts';
import type { DeadLetterRow } from '@manuel/ledger';
import { classifyFailure } from './classify-failure.ts';
import { fingerprintFailure } from './fingerprint-failure.ts';
import type { Failure, Outside } from './outside.ts';

/** The row of a failure. Its id derives from the job and the time it failed, so that it is stored once. */
export function deadLetterOf(failure: Failure): DeadLetterRow {
  return {
    id: `dlq_${derivedId('dead-letter', failure.queue, failure.jobId)}`,
    fingerprint: fingerprintFailure(failure),
    severity: classifyFailure(failure),
    queue: failure.queue,
    job: failure.job,
    job_id: failure.jobId,
    user_id: failure.userId,
    operation: failure.operation,
    code: failure.code,
    reason: failure.reason,
    attempts: failure.attempts,
    payload: failure.payload,
    failed_at: failure.failedAt,
  };
}

/**
 * Stores a failed job as a dead letter, counts its kind, and alerts once for each kind and window when it is critical or
 * high. Safe to repeat: a dead letter that is known is neither stored nor counted again.
 */
export async function recordDeadLetter(outside: Outside, failure: Failure, now: number): Promise<DeadLetterRow> {
  const row = deadLetterOf(failure);
  const fresh = await outside.deadLetters.put(row, outside.retentionDays);
  if (!fresh) return row;
  const { count, alertDue } = await outside.deadLetters.count(row.fingerprint, now, outside.alertWindowS);
  outside.logger.warn('dead letter', {
    dead_letter_id: row.id,
    severity: row.severity,
    fingerprint: row.fingerprint,
    job: row.job,
    job_id: row.job_id,
    user_id: row.user_id,
    code: row.code,
    reason: row.reason,
    count,
  });
  if (alertDue && (row.severity === 'critical' || row.severity === 'high')) await raiseAlert(outside, row, count);
  return row;
}

/** No user and no payload: mail and chat are no place for them. The dead letter's id leads there. */
async function raiseAlert(outside: Outside, row: DeadLetterRow, count: number): Promise<void> {
  const { severity, fingerprint, job, code, reason, id } = row;
  await outside.alert({
    subject: `[manuel] ${severity}: ${job} ${code}`,
    message: JSON.stringify(
      {
        severity,
        job,
        code,
        reason,
        fingerprint,
        count,
        dead_letter_id: id,
        failed_at: new Date(row.failed_at).toISOString(),
        what_to_do: `See GET /api/ops/dead-letters?fingerprint=${fingerprint}; replay with POST /api/ops/dead-letters/replay.`,
      },
      null,
      2,
    ),
    attributes: { severity, fingerprint, job, code },
  });
}

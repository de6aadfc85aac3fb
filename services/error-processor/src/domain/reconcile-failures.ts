import { isTerminal } from '@manuel/contracts';
import type { JobsLedger } from '@manuel/ledger';
import type { FailedJob, Janitor } from '@manuel/queues';
import type { Outside } from './outside.ts';
import { recordDeadLetter } from './record-dead-letter.ts';

/** Failed jobs taken in one go. */
const batch = 100;

export interface Reconciler extends Outside {
  readonly janitor: Pick<Janitor, 'failed' | 'done'>;
  readonly ledger: { readonly jobs: Pick<JobsLedger, 'get'> };
}

/**
 * Turns what lies in the failed sets into dead letters, and takes each off its set once it is one. A job whose row is still
 * open waits for the sweeper, which settles that first. Returns how many became dead letters.
 */
export async function reconcileFailures(context: Reconciler, now: () => number): Promise<number> {
  let recorded = 0;
  for (const failed of await context.janitor.failed(batch)) {
    if (await stillOpen(context, failed)) continue;
    const { envelope } = failed;
    const failure = {
      queue: failed.queue,
      job: failed.job,
      jobId: envelope.id,
      userId: envelope.user_id,
      operation: envelope.operation,
      code: failed.code,
      reason: failed.reason,
      attempts: failed.attempts,
      payload: envelope.payload,
      failedAt: failed.failed_at,
    };
    await recordDeadLetter(context, failure, now());
    await context.janitor.done(failed);
    recorded += 1;
  }
  return recorded;
}

async function stillOpen(context: Reconciler, failed: FailedJob): Promise<boolean> {
  const row = await context.ledger.jobs.get(failed.envelope.user_id, failed.envelope.id);
  return row !== undefined && !isTerminal(row.status);
}

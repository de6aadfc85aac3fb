import { ManuelError, isTerminal } from '@manuel/contracts';
import type { Caller } from './caller.ts';
import { findManual } from './find-manual.ts';
import type { Outside } from './outside.ts';
import { type Idempotency, type Submitted, admitJob, submittedJob } from './submission.ts';

/**
 * Takes a manual out of every search at once (its state `deleting` is the tombstone) and admits the job that removes the
 * rest. Deleting twice gives the job that is at it.
 */
export async function deleteManual(
  outside: Outside,
  caller: Caller,
  manualId: string,
  idempotency?: Idempotency,
): Promise<Submitted> {
  const { manuals } = outside.ledger;
  const row = await findManual(outside, caller, manualId);
  if (row.status === 'deleting' && row.job_id !== undefined) {
    const view = await outside.admitter.view(caller.userId, row.job_id);
    if (view?.operation === 'delete' && !isTerminal(view.status)) return { kind: 'job', view, replayed: true };
  }
  const marked = await manuals.update(caller.userId, manualId, { status: 'deleting' }, { status: [row.status] });
  if (!marked) throw new ManuelError('conflict', 'The manual changed a moment ago. Look at it again.');
  await outside.forgetAnswers(caller.userId);
  try {
    const admission = await admitJob(outside, caller, {
      job: 'delete-manual',
      operation: 'delete',
      payload: { manual_id: manualId },
      options: { priority: 'high' },
      idempotency,
    });
    if (admission.kind === 'job') {
      await manuals.update(caller.userId, manualId, { job_id: admission.view.id }, { status: ['deleting'] });
    }
    return submittedJob(admission);
  } catch (error) {
    // After `unavailable` the job may exist all the same; asking again finds the state and goes on.
    if (error instanceof ManuelError && error.code !== 'unavailable') {
      await manuals.update(caller.userId, manualId, { status: row.status }, { status: ['deleting'] });
    }
    throw error;
  }
}

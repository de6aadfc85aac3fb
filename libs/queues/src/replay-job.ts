import { hash } from 'node:crypto';
import { type JobView, ManuelError, type Operation, jobIdForKey } from '@manuel/contracts';
import type { QueueContext } from './context.ts';
import { idempotencyS } from './reserve.ts';
import { toJobView } from './to-job-view.ts';
import { viewJob } from './view-job.ts';

export const mismatch = (): ManuelError =>
  new ManuelError('idempotency_mismatch', 'This Idempotency-Key was used with another body. Use a new key.');

/** Where Redis keeps what an Idempotency-Key was used for. */
export const idempotencyKeyOf = (
  { keys }: Pick<QueueContext, 'keys'>,
  userId: string,
  operation: Operation,
  key: string,
): string => keys.idempotency(userId, operation, hash('sha256', key, 'base64url'));

/** The job that an Idempotency-Key stands for (see `Admitter.replay`): from Redis, else from the ledger. */
export async function replayJob(
  context: QueueContext,
  userId: string,
  operation: Operation,
  { key, bodySha256 }: { readonly key: string; readonly bodySha256: string },
): Promise<JobView | undefined> {
  const entry = await context.redis.get(idempotencyKeyOf(context, userId, operation, key));
  if (entry !== null) {
    const [usedFor, jobId = ''] = entry.split('|');
    if (usedFor !== bodySha256) throw mismatch();
    return viewJob(context, userId, jobId);
  }
  const row = await context.ledger.jobs.get(userId, jobIdForKey(operation, userId, key));
  if (!row || row.created_at + idempotencyS * 1000 <= context.now()) return undefined;
  if (row.body_sha256 !== bodySha256) throw mismatch();
  return toJobView(row);
}

import { ManuelError, type Operation, jobIdForKey } from '@manuel/contracts';
import type { QueueContext } from './context.ts';
import { isKeyOver } from './reserve.ts';
import type { Answered } from './types.ts';
import { answeredBy, viewAnswered } from './view-job.ts';

export const mismatch = (): ManuelError =>
  new ManuelError('idempotency_mismatch', 'This Idempotency-Key was used with another body. Use a new key.');

/** The job that an Idempotency-Key stands for (see `Admitter.replay`): from Redis, else from the ledger. */
export async function replayJob(
  context: QueueContext,
  userId: string,
  operation: Operation,
  { key, bodySha256 }: { readonly key: string; readonly bodySha256: string },
): Promise<Answered | undefined> {
  const first = jobIdForKey(operation, userId, key);
  const entry = await context.redis.get(context.keys.idempotency(first));
  if (entry !== null) {
    const [usedFor, jobId = ''] = entry.split('|');
    if (usedFor !== bodySha256) throw mismatch();
    return viewAnswered(context, userId, jobId);
  }
  const row = await context.ledger.jobs.get(userId, first);
  if (!row || isKeyOver(row, context.now())) return undefined;
  if (row.body_sha256 !== bodySha256) throw mismatch();
  return answeredBy(row);
}

import { type JobName, jobIdForKey } from '@manuel/contracts';
import type { QueueContext } from './context.ts';
import { newRow } from './enqueue.ts';
import { mismatch } from './replay-job.ts';
import { idempotencyS, isKeyOver } from './reserve.ts';
import type { Answered, KeyedRequest } from './types.ts';
import { answeredBy, viewAnswered } from './view-job.ts';

/** The status line of a result that was there at once. */
const atOnceStatus = 200;

/** See `Admitter.keepAnswer`. `generation` tells apart answers of a key that was used again after its time. */
export async function keepAnswer<N extends JobName>(
  context: QueueContext,
  request: KeyedRequest<N>,
  result: Record<string, unknown>,
  generation = '',
): Promise<Answered | undefined> {
  const { operation, userId, idempotency } = request;
  const { key, bodySha256 } = idempotency;
  const first = jobIdForKey(operation, userId, key);
  const jobId = generation === '' ? first : jobIdForKey(operation, userId, key, generation);
  const now = context.now();
  const row = { ...newRow(request, jobId, now, true), answered_status: atOnceStatus, finished_at: now, result };
  const put = await context.ledger.jobs.put(row);
  if (put.created) {
    // The admission noted the first one of the key.
    if (jobId !== first) {
      await context.redis.set(context.keys.idempotency(first), `${bodySha256}|${jobId}|${now}`, 'EX', idempotencyS);
    }
    return undefined;
  }
  const { existing } = put;
  if (isKeyOver(existing, now)) {
    return keepAnswer(context, request, result, String(existing.created_at));
  }
  if (existing.body_sha256 !== bodySha256) throw mismatch();
  return (await viewAnswered(context, userId, jobId)) ?? answeredBy(existing);
}

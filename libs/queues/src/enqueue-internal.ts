import { type JobName, newJobId } from '@manuel/contracts';
import { enqueueDurable } from './admit-job.ts';
import type { QueueContext } from './context.ts';
import { newRow } from './enqueue.ts';
import { reserve, unreserve } from './reserve.ts';
import type { AdmitRequest } from './types.ts';

/** Enqueues work of the system itself: durable like any job, but without limits, quota or idempotency. */
export async function enqueueInternal<N extends JobName>(
  context: QueueContext,
  request: Omit<AdmitRequest<N>, 'idempotency' | 'cacheKey'> & { jobId?: string },
): Promise<string> {
  const now = context.now();
  const jobId = request.jobId ?? newJobId(request.operation);
  const row = newRow(request, jobId, now, true);
  const reservation = await reserve(context, request, {
    jobId,
    jobIdIsFresh: request.jobId === undefined,
    idempotencyKey: undefined,
    lookUpIdempotency: false,
    limited: false,
  });
  if (reservation.kind !== 'ok') throw new Error(`a job without limits was answered ${reservation.kind}`);
  try {
    // A given id may exist already: then there is nothing left to do.
    const created =
      request.jobId === undefined
        ? await context.ledger.jobs.add(row).then(() => true)
        : (await context.ledger.jobs.put(row)).created;
    if (created) await enqueueDurable(context, row, reservation.priority);
    else if (reservation.fresh) await unreserve(context, request, jobId, undefined);
  } catch (error) {
    if (reservation.fresh) await unreserve(context, request, jobId, undefined);
    throw error;
  }
  return jobId;
}

import { type JobName, newJobId } from '@manuel/contracts';
import type { QueueContext } from './context.ts';
import { reserve, unreserve } from './reserve.ts';
import type { AdmissionCheck } from './types.ts';

/**
 * Whether a job would be admitted now: throws what an admission would for want of quota or room. What it reserves to find
 * out it gives back at once, so that nothing is held while a question is still being asked.
 */
export async function checkAdmission<N extends JobName>(
  context: QueueContext,
  request: AdmissionCheck<N>,
): Promise<void> {
  const jobId = newJobId(request.operation);
  const options = {
    jobId,
    jobIdIsFresh: true,
    now: context.now(),
    idempotencyKey: undefined,
    lookUpIdempotency: false,
    limited: true,
  };
  const reservation = await reserve(context, request, options);
  if (reservation.kind === 'refused') throw reservation.error;
  await unreserve(context, request, jobId, undefined);
}

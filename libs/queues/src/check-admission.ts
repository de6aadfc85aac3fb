import { type JobName, newJobId } from '@manuel/contracts';
import type { QueueContext } from './context.ts';
import { reserve } from './reserve.ts';
import type { AdmissionCheck } from './types.ts';

/** Whether a job would be admitted now: throws what an admission would for want of quota or room. */
export async function checkAdmission<N extends JobName>(
  context: QueueContext,
  request: AdmissionCheck<N>,
): Promise<void> {
  const reservation = await reserve(context, request, {
    jobId: newJobId(request.operation),
    jobIdIsFresh: true,
    idempotencyKey: undefined,
    lookUpIdempotency: false,
    limited: true,
    onlyAsk: true,
  });
  if (reservation.kind === 'refused') throw reservation.error;
}

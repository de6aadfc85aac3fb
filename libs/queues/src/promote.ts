import type { QueueName } from '@manuel/contracts';
import { Job } from 'bullmq';
import type { QueueContext } from './context.ts';

/** BullMQ's answer for a job that is not among the delayed. */
const notDelayed = /not in the delayed state/i;

/** Brings a delayed job forward, at the priority that stands in its hash. One that is not delayed any more is left alone. */
export async function promote(context: QueueContext, queueName: QueueName, jobId: string): Promise<void> {
  const queue = context.handles.get(queueName);
  // Name, data and options play no part in a promotion; reading them would cost a round trip.
  const job = new Job(queue, 'parked', {}, {}, jobId);
  try {
    await job.promote();
  } catch (error) {
    if (!(error instanceof Error && notDelayed.test(error.message))) throw error;
    context.logger.debug('a job to promote was not delayed', { job_id: jobId, queue: queueName });
  }
}

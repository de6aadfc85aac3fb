import { type Envelope, errorCatalog } from '@manuel/contracts';
import type { Job } from 'bullmq';
import { lastProgress } from '../last-progress.ts';
import { recordOutcome } from './record-outcome.ts';
import type { WorkerContext } from './worker-context.ts';

/** A job whose workers died under it too often has failed, though no handler ever said so. */
export async function recordLostJob(context: WorkerContext, job: Job, envelope: Envelope): Promise<void> {
  const known = context.handlers.get(job.name);
  if (!known) return;
  await recordOutcome(context, {
    name: known.name,
    envelope,
    charged: false,
    outcome: {
      status: 'failed',
      finished_at: context.now(),
      ...(job.processedOn === undefined ? {} : { started_at: job.processedOn }),
      attempts: job.attemptsMade + job.stalledCounter,
      ...(await lastProgress(context, context.queue, envelope.id)),
      error: {
        code: 'internal',
        detail: `The job was interrupted too often. Quote ${envelope.id} when you report it.`,
        retryable: errorCatalog.internal.retryable,
      },
    },
  });
}

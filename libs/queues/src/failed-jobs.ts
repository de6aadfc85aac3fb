import {
  type ErrorCode,
  type QueueName,
  envelopeSchema,
  errorCatalog,
  errorCodes,
  jobs,
  queueNames,
} from '@manuel/contracts';
import type { StoredFailure } from '@manuel/ledger';
import { Job } from 'bullmq';
import type { QueueContext } from './context.ts';
import type { FailedJob } from './types.ts';

/** A failure as it stands in BullMQ's hash, `<code>: <detail>`; anything else is internal. */
export function codeOf(reason: string): ErrorCode {
  const name = reason.slice(0, Math.max(0, reason.indexOf(':')));
  return errorCodes.find((code) => code === name) ?? 'internal';
}

export function failureOf(reason: string, jobId: string): StoredFailure {
  const code = codeOf(reason);
  const detail =
    code === 'internal'
      ? `Something went wrong on our side. Quote ${jobId} when you report it.`
      : reason.slice(code.length + 1).trim();
  return { code, detail, retryable: errorCatalog[code].retryable };
}

/** Oldest first, from all failed sets. */
export async function readFailed(context: QueueContext, limit: number): Promise<FailedJob[]> {
  const found: FailedJob[] = [];
  for (const queue of queueNames) {
    if (found.length >= limit) break;
    const failed = await context.handles.get(queue).getFailed(0, limit - found.length - 1);
    for (const job of failed) {
      // BullMQ gives a hole for a job that was removed while it read.
      if (job) found.push(...failedJob(context, queue, job));
    }
  }
  return found;
}

function failedJob(context: QueueContext, queue: QueueName, job: Job): FailedJob[] {
  const envelope = envelopeSchema.safeParse(job.data);
  const definition = Object.values(jobs).find(({ name }) => name === job.name);
  if (!envelope.success || !definition) {
    context.logger.error('a failed job cannot be read; remove it by hand', { queue, job_id: job.id, job: job.name });
    return [];
  }
  const reason = job.failedReason ?? '';
  return [
    {
      queue,
      envelope: envelope.data,
      job: definition.name,
      code: codeOf(reason),
      reason,
      attempts: job.attemptsMade + job.stalledCounter,
      failed_at: job.finishedOn ?? context.now(),
    },
  ];
}

/** Takes a job off its failed set. */
export async function removeFailed(context: QueueContext, failed: FailedJob): Promise<void> {
  await new Job(context.handles.get(failed.queue), failed.job, {}, {}, failed.envelope.id).remove();
}

import { type Envelope, type JobName, type UsageKind, jobOfOperation, jobs } from '@manuel/contracts';
import type { JobRow } from '@manuel/ledger';
import type { Job } from 'bullmq';

/** What the job counts as when it completes. */
export const usageOf = (envelope: Envelope): UsageKind =>
  envelope.free === true ? null : jobs[jobOfOperation[envelope.operation]].usage;

/** Tries so far, the present one included; a run that was lost with its worker counts. */
export const attemptsOf = (job: Job): number => job.attemptsMade + job.stalledCounter + 1;

/** The ledger row that belongs to a job in the queue, as far as the queue knows it. */
export function rowOf(name: JobName, envelope: Envelope, attempts: number): JobRow {
  return {
    user_id: envelope.user_id,
    job_id: envelope.id,
    operation: envelope.operation,
    job: name,
    class: envelope.class,
    status: 'queued',
    payload: envelope.payload,
    created_at: envelope.created_at,
    expires_at: envelope.expires_at,
    attempts,
    request_id: envelope.request_id,
    ...(envelope.traceparent === undefined ? {} : { traceparent: envelope.traceparent }),
    usage: usageOf(envelope),
  };
}

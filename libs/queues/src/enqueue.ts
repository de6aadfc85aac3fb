import { type Envelope, type JobClass, type JobName, type Operation, jobs } from '@manuel/contracts';
import type { JobRow, NewJobRow } from '@manuel/ledger';
import type { JobsOptions } from 'bullmq';
import type { QueueContext } from './context.ts';

/** The name of the backoff that `runWorker` computes from the settings. */
export const backoffType = 'policy';

/** Adds a job to its queue under its own id; a job that is there already stays as it is. */
export async function addToQueue(
  context: QueueContext,
  job: JobName,
  envelope: Envelope,
  priority: number,
): Promise<void> {
  const definition = jobs[job];
  const options: JobsOptions = {
    jobId: envelope.id,
    priority,
    attempts: context.settings.retry[definition.retry].max_retries + 1,
    backoff: { type: backoffType },
    timestamp: envelope.created_at,
  };
  await context.handles.get(definition.queue).add(job, envelope, options);
}

/** What a row becomes in the queue. */
export function envelopeOf(row: NewJobRow | JobRow): Envelope {
  return {
    id: row.job_id,
    user_id: row.user_id,
    operation: row.operation,
    class: row.class,
    request_id: row.request_id,
    ...(row.traceparent === undefined ? {} : { traceparent: row.traceparent }),
    created_at: row.created_at,
    expires_at: row.expires_at,
    ...(row.usage === null && jobs[row.job].usage !== null ? { free: true } : {}),
    payload: row.payload,
  };
}

export interface RowFacts {
  readonly job: JobName;
  readonly operation: Operation;
  readonly userId: string;
  readonly payload: unknown;
  readonly class: JobClass;
  readonly expiresInS: number;
  readonly requestId: string;
  readonly traceparent?: string;
  readonly idempotency?: { readonly bodySha256: string };
}

/** The status line of an admission. */
export const acceptedStatus = 202;

export function newRow(request: RowFacts, jobId: string, now: number, free: boolean): NewJobRow {
  return {
    user_id: request.userId,
    job_id: jobId,
    operation: request.operation,
    job: request.job,
    class: request.class,
    payload: request.payload,
    created_at: now,
    expires_at: now + request.expiresInS * 1000,
    request_id: request.requestId,
    ...(request.traceparent === undefined ? {} : { traceparent: request.traceparent }),
    usage: free ? null : jobs[request.job].usage,
    ...(request.idempotency ? { body_sha256: request.idempotency.bodySha256, answered_status: acceptedStatus } : {}),
  };
}

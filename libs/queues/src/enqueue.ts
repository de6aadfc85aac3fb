import { type Envelope, type JobClass, type JobName, type Operation, jobs } from '@manuel/contracts';
import type { JobRow, NewJobRow } from '@manuel/ledger';
import type { JobJson } from 'bullmq';
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
  const { queue, retry } = jobs[job];
  const attempts = context.settings.retry[retry].max_retries + 1;
  const json = bullJob(job, envelope, { priority, attempts });
  await context.handles.get(queue).getBackend().addJob(json, envelope.id);
}

/**
 * What `Queue.add` would make of it and hand to the same backend. Its `Job` is made for all that may be asked of a job and costs
 * more than the rest of an enqueuing.
 */
function bullJob(name: JobName, envelope: Envelope, own: { priority: number; attempts: number }): JobJson {
  const { id, created_at: timestamp } = envelope;
  return {
    id,
    name,
    data: JSON.stringify(envelope),
    opts: { jobId: id, ...own, backoff: { type: backoffType }, timestamp },
    timestamp,
    progress: 0,
    attemptsMade: 0,
    attemptsStarted: 0,
    stalledCounter: 0,
    failedReason: '',
    returnvalue: '',
  };
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

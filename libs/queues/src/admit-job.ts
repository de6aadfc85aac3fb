import { type JobName, type JobView, ManuelError, jobIdForKey, newJobId } from '@manuel/contracts';
import type { NewJobRow } from '@manuel/ledger';
import type { QueueContext } from './context.ts';
import { acceptedStatus, addToQueue, envelopeOf, newRow } from './enqueue.ts';
import { mismatch } from './replay-job.ts';
import { isKeyOver, reserve, unreserve } from './reserve.ts';
import { toJobView } from './to-job-view.ts';
import type { Admission, AdmitRequest, Answered } from './types.ts';
import { answeredBy, viewAnswered } from './view-job.ts';

const admitted = (view: JobView): Admission => ({ kind: 'job', view, replayed: false, answeredStatus: acceptedStatus });
const replayed = (answered: Answered): Admission => ({ kind: 'job', ...answered, replayed: true });

/** Adds a durable job to its queue. A failure is no failure of the admission: the sweeper adds it later. */
export async function enqueueDurable(context: QueueContext, row: NewJobRow, priority: number): Promise<void> {
  try {
    await addToQueue(context, row.job, envelopeOf(row), priority);
  } catch (error) {
    context.logger.warn('a durable job is left to the sweeper', { job_id: row.job_id, error });
    context.metrics.count('jobs_left_to_sweeper_total', 'Durable jobs that could not be enqueued at once', {});
  }
}

async function durably<T>(
  context: QueueContext,
  write: () => Promise<T>,
  takeBack: () => Promise<void>,
  jobId: string,
): Promise<T> {
  try {
    return await write();
  } catch (error) {
    await takeBack().catch((problem: unknown) => {
      context.logger.warn('a reservation is left to the sweeper', { job_id: jobId, error: problem });
    });
    if (error instanceof ManuelError) throw error;
    throw new ManuelError('unavailable', 'The job could not be stored. Please try again shortly.', {
      cause: error,
      retryAfterMs: 2000,
    });
  }
}

/** Without an Idempotency-Key: a fresh id, so the row may ride a batch. */
async function admitFresh<N extends JobName>(context: QueueContext, request: AdmitRequest<N>): Promise<Admission> {
  const now = context.now();
  const jobId = newJobId(request.operation);
  const reservation = await reserve(context, request, {
    jobId,
    jobIdIsFresh: true,
    idempotencyKey: undefined,
    lookUpIdempotency: false,
    limited: true,
  });
  if (reservation.kind === 'cached') return { kind: 'cached', value: reservation.value, usage: reservation.usage };
  if (reservation.kind === 'refused') throw reservation.error;
  if (reservation.kind !== 'ok') throw new Error(`no key was given, yet the script answered ${reservation.kind}`);
  const row = newRow(request, jobId, now, false);
  await durably(
    context,
    () => context.ledger.jobs.add(row),
    () => unreserve(context, request, jobId, undefined),
    jobId,
  );
  await enqueueDurable(context, row, reservation.priority);
  return admitted(toJobView({ ...row, status: 'queued', attempts: 0 }));
}

interface KeyedAttempt {
  /** Tells apart jobs of a key that was used again after its time. */
  readonly generation: string;
  readonly lookUp: boolean;
}

/**
 * With an Idempotency-Key: the job's id derives from user, operation and key, and every step is idempotent by that id.
 * However many requests come at once, on however many gateways, the ledger's conditional put lets one make the job.
 */
async function admitKeyed<N extends JobName>(
  context: QueueContext,
  request: AdmitRequest<N>,
  idempotency: { key: string; bodySha256: string },
  { generation, lookUp }: KeyedAttempt,
): Promise<Admission> {
  const now = context.now();
  const { userId, operation } = request;
  const first = jobIdForKey(operation, userId, idempotency.key);
  const idempotencyKey = context.keys.idempotency(first);
  const jobId = generation === '' ? first : jobIdForKey(operation, userId, idempotency.key, generation);

  const reservation = await reserve(context, request, {
    jobId,
    jobIdIsFresh: false,
    idempotencyKey,
    lookUpIdempotency: lookUp,
    limited: true,
  });
  if (reservation.kind === 'cached') return { kind: 'cached', value: reservation.value, usage: reservation.usage };
  if (reservation.kind === 'known') {
    if (reservation.bodySha256 !== idempotency.bodySha256) throw mismatch();
    const answered = await viewAnswered(context, userId, reservation.jobId);
    if (answered) return replayed(answered);
    // The first request is still on its way to the ledger, or died on it: the same steps again do no harm.
    return admitKeyed(context, request, idempotency, { generation, lookUp: false });
  }
  const takeBack = (): Promise<void> => unreserve(context, request, jobId, idempotencyKey);
  if (reservation.kind === 'refused') {
    // A replay is never refused for want of quota or room; only Redis had forgotten the key.
    const existing = await context.ledger.jobs.get(userId, jobId);
    if (!existing || isKeyOver(existing, now)) throw reservation.error;
    if (existing.body_sha256 !== idempotency.bodySha256) throw mismatch();
    return replayed((await viewAnswered(context, userId, jobId)) ?? answeredBy(existing));
  }

  const row = newRow(request, jobId, now, false);
  const put = await durably(
    context,
    () => context.ledger.jobs.put(row),
    () => (reservation.fresh ? takeBack() : Promise.resolve()),
    jobId,
  );
  if (put.created) {
    await enqueueDurable(context, row, reservation.priority);
    return admitted(toJobView({ ...row, status: 'queued', attempts: 0 }));
  }
  const { existing } = put;
  const over = isKeyOver(existing, now);
  const other = existing.body_sha256 !== idempotency.bodySha256;
  // What was reserved just now belongs to nobody, unless the job is open and Redis had only forgotten it.
  if (reservation.fresh && (over || other || existing.open === undefined)) await takeBack();
  if (over) {
    return admitKeyed(context, request, idempotency, { generation: String(existing.created_at), lookUp: false });
  }
  if (other) throw mismatch();
  return replayed((await viewAnswered(context, userId, jobId)) ?? answeredBy(existing));
}

/** Checks, reserves, makes durable, enqueues: at most two round trips to Redis and one write to the ledger. */
export function admitJob<N extends JobName>(context: QueueContext, request: AdmitRequest<N>): Promise<Admission> {
  const { idempotency } = request;
  return idempotency === undefined
    ? admitFresh(context, request)
    : admitKeyed(context, request, idempotency, { generation: '', lookUp: true });
}

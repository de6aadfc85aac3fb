import { type JobName, type JobStatus, ManuelError, envelopeSchema, errorCatalog, jobs } from '@manuel/contracts';
import type { StoredFailure } from '@manuel/ledger';
import { DelayedError, type Job, UnrecoverableError } from 'bullmq';
import type { HandlerOutcome } from '../types.ts';
import { lastProgress } from '../last-progress.ts';
import { handOver } from './hand-over.ts';
import type { HeldJob } from './held-job.ts';
import { RunPublisher } from './publisher.ts';
import { putOff, putOffUnlessCalled, release } from './put-off.ts';
import { adoptOutcome, recordOutcome } from './record-outcome.ts';
import { resultOf } from './result-of.ts';
import { attemptsOf } from './row-of.ts';
import { runHandler } from './run-handler.ts';
import { type StartVerdict, startJob } from './start-job.ts';
import { RunAborted, type WorkerContext } from './worker-context.ts';

/** Milliseconds until a job that another version of the service knows is offered again. */
const unknownJobMs = 1000;

/** What BullMQ keeps as the job's return value: results live in the ledger, not here. */
export type BullReturn = JobStatus | 'handed over';

/** One job as BullMQ hands it over, from start to outcome. */
export async function processJob(context: WorkerContext, job: Job, token: string): Promise<BullReturn> {
  context.progressed();
  try {
    const parsed = envelopeSchema.safeParse(job.data);
    if (!parsed.success) throw new UnrecoverableError('validation_failed: the job’s envelope cannot be read');
    const known = context.handlers.get(job.name);
    if (!known) {
      // Of a newer version, while a deployment rolls: leave it to a worker that knows it.
      context.logger.warn('a job of another version is passed on', { job: job.name, job_id: parsed.data.id });
      await putOff(job, token, unknownJobMs);
    }
    // putOff always throws, so the handler is known from here on.
    const { name, handle } = known as NonNullable<typeof known>;
    return await processHeld(context, { job, token, name, handle, envelope: parsed.data });
  } finally {
    context.progressed();
  }
}

async function processHeld(context: WorkerContext, held: HeldJob): Promise<BullReturn> {
  const { name, envelope, job } = held;
  const verdict = await startJob(context, name, envelope, job);
  if (verdict.kind === 'parked') {
    // Should nobody wake it (its slot came free in the moment when a worker was killed) it looks by itself.
    return putOffUnlessCalled(context, held, context.settings.ledger.sweep_interval_ms);
  }
  if (verdict.kind === 'ended') return dropEnded(context, held);
  if (verdict.kind === 'expired') {
    return fail(context, held, undefined, 'expired', {
      code: 'expired',
      detail: 'The job waited too long and was not started in time. Please try again.',
      retryable: errorCatalog.expired.retryable,
    });
  }
  if (job.stalledCounter > 0 || job.attemptsMade > 0) {
    // An earlier run may have got as far as the ledger before it was lost.
    const status = await adoptOutcome(context, name, envelope);
    if (status) return concluded(status, 'recorded by an earlier run');
    const row = await context.ledger.jobs.get(envelope.user_id, envelope.id);
    if (row && row.job !== name) {
      return handOver(context, envelope, row.job, row.payload, verdict.startedAt, undefined, () =>
        release(context, envelope),
      );
    }
  }
  const publisher = new RunPublisher(context, envelope);
  try {
    const { maxLifetimeS } = jobs[name];
    if (maxLifetimeS !== undefined && context.now() > verdict.startedAt + maxLifetimeS * 1000) {
      throw new ManuelError('timed_out', 'The job did not end in time.', { retryable: false });
    }
    const outcome = await runHandler(context, name, held.handle, envelope, job, verdict.startedAt, publisher);
    return await conclude(context, held, verdict, outcome, publisher);
  } catch (error) {
    return await recover(context, held, verdict.startedAt, error);
  }
}

async function conclude(
  context: WorkerContext,
  held: HeldJob,
  verdict: Extract<StartVerdict, { kind: 'run' }>,
  outcome: HandlerOutcome<JobName>,
  publisher: RunPublisher,
): Promise<BullReturn> {
  const { name, envelope, job } = held;
  if (outcome.kind === 'again') {
    await job.updateData({ ...envelope, step: outcome.step });
    await release(context, envelope);
    return putOffUnlessCalled(context, held, outcome.delayMs);
  }
  if (outcome.kind === 'hand-over') {
    const carried = { started_at: verdict.startedAt, ...(publisher.last ? { progress: publisher.last } : {}) };
    const done = (): Promise<void> => release(context, envelope);
    return handOver(context, envelope, outcome.job, outcome.payload, carried.started_at, carried.progress, done);
  }
  const charged = outcome.charged !== false;
  const status = await recordOutcome(context, {
    name,
    envelope,
    charged,
    ...(outcome.meanwhile ? { meanwhile: outcome.meanwhile } : {}),
    outcome: {
      status: 'completed',
      started_at: verdict.startedAt,
      finished_at: context.now(),
      attempts: attemptsOf(job),
      result: await resultOf(name, outcome.result, charged, envelope, verdict),
      ...(outcome.tokens ? { tokens: outcome.tokens } : {}),
    },
  });
  return concluded(status, 'ended elsewhere');
}

/** What became of a run that threw: dropped, given back, tried again, or failed for good. */
async function recover(context: WorkerContext, held: HeldJob, startedAt: number, thrown: unknown): Promise<BullReturn> {
  const { envelope, job, token } = held;
  // Put off, or concluded already.
  if (thrown instanceof DelayedError || thrown instanceof UnrecoverableError) throw thrown;
  let error = thrown;
  if (thrown instanceof RunAborted) {
    if (thrown.why === 'ended outside') return dropEnded(context, held);
    // Whoever holds the lock now decides what becomes of it.
    if (thrown.why === 'lock lost') throw thrown;
    if (thrown.why === 'shutdown') {
      await release(context, envelope);
      return putOff(job, token, 1);
    }
    // A step is safe to try again; a whole run that took too long would only take as long again.
    const retryable = jobs[held.name].maxLifetimeS !== undefined;
    error = new ManuelError('timed_out', 'The job took longer than it may.', { retryable });
  }
  const known = error instanceof ManuelError ? error : undefined;
  const attempt = job.attemptsMade + 1;
  const fields = { job_id: envelope.id, user_id: envelope.user_id, job: held.name, attempt, error };
  if ((known?.retryable ?? true) && attempt < (job.opts.attempts ?? 1)) {
    context.logger.warn('a run failed and will be tried again', fields);
    context.metrics.count('job_retries_total', 'Runs that failed and are tried again', { job: held.name });
    await release(context, envelope);
    // BullMQ computes the delay from it, by the policy of the job.
    throw error instanceof Error ? error : new Error(String(error));
  }
  context.logger.error('a job failed for good', fields);
  const failure: StoredFailure = {
    code: known?.code ?? 'internal',
    detail: known?.detail ?? `Something went wrong on our side. Quote ${envelope.id} when you report it.`,
    retryable: known === undefined ? true : errorCatalog[known.code].retryable,
    ...(known?.errors ? { errors: known.errors } : {}),
  };
  return fail(context, held, startedAt, 'failed', failure, whyOf(error));
}

/** For operators: what the user is told, and what lay behind it. */
function whyOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const own = error instanceof ManuelError ? error.detail : `${error.name}: ${error.message}`;
  const { cause } = error;
  return cause instanceof Error ? `${own} (${cause.name}: ${cause.message})` : own;
}

async function fail(
  context: WorkerContext,
  held: HeldJob,
  startedAt: number | undefined,
  status: 'failed' | 'expired',
  error: StoredFailure,
  why = error.detail,
): Promise<BullReturn> {
  const started =
    startedAt === undefined
      ? {}
      : { started_at: startedAt, ...(await lastProgress(context, context.queue, held.envelope.id)) };
  const standing = await recordOutcome(context, {
    name: held.name,
    envelope: held.envelope,
    charged: false,
    outcome: {
      status,
      finished_at: context.now(),
      ...started,
      attempts: startedAt === undefined ? held.job.attemptsMade : attemptsOf(held.job),
      error,
    },
  });
  return concluded(standing, `${error.code}: ${why}`);
}

/** A job that somebody else ended: Redis and usage follow the ledger, then BullMQ forgets it. */
async function dropEnded(context: WorkerContext, held: HeldJob): Promise<BullReturn> {
  const status = await adoptOutcome(context, held.name, held.envelope);
  if (status === undefined) {
    context.logger.warn('a job marked as ended has no outcome in the ledger', { job_id: held.envelope.id });
    await release(context, held.envelope);
    return 'cancelled';
  }
  return concluded(status, `${status}: ended before it ran`);
}

/** Failed and expired jobs go to BullMQ's failed set, where the error-processor finds them. */
function concluded(status: JobStatus, reason: string): BullReturn {
  if (status === 'failed' || status === 'expired') throw new UnrecoverableError(reason);
  return status;
}

import {
  type Envelope,
  type JobName,
  type JobStatus,
  ManuelError,
  envelopeSchema,
  errorCatalog,
  jobs,
} from '@manuel/contracts';
import type { StoredFailure } from '@manuel/ledger';
import { DelayedError, type Job, UnrecoverableError } from 'bullmq';
import { slotLeaseMs } from '../finish-job.ts';
import { promote } from '../promote.ts';
import { releaseScript } from '../scripts/finish.ts';
import { run } from '../scripts/script.ts';
import { wakeScript } from '../scripts/wake.ts';
import type { Handler, HandlerOutcome } from '../types.ts';
import { handOver } from './hand-over.ts';
import { RunPublisher } from './publisher.ts';
import { adoptOutcome, recordOutcome } from './record-outcome.ts';
import { attemptsOf } from './row-of.ts';
import { runHandler } from './run-handler.ts';
import { type StartVerdict, startJob } from './start-job.ts';
import { RunAborted, type WorkerContext } from './worker-context.ts';

/** Milliseconds after which a parked job looks by itself, should nobody have woken it. */
const parkedMs = 60_000;
/** Milliseconds until a job that another version of the service knows is offered again. */
const unknownJobMs = 1000;

/** What BullMQ keeps as the job's return value: results live in the ledger, not here. */
export type BullReturn = JobStatus | 'handed over';

interface Held {
  readonly job: Job;
  readonly token: string;
  readonly name: JobName;
  readonly handle: Handler<JobName>;
  readonly envelope: Envelope;
}

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

/** Back into the queue after a while, without using up a try. */
async function putOff(job: Job, token: string, ms: number): Promise<never> {
  await job.moveToDelayed(Date.now() + ms, token);
  throw new DelayedError();
}

/**
 * Puts a job off that others may call back. Who called while it was on its way found it not yet delayed, so it looks itself.
 */
async function putOffUnlessCalled(context: WorkerContext, held: Held, ms: number): Promise<never> {
  const { id, user_id } = held.envelope;
  await held.job.moveToDelayed(Date.now() + ms, held.token);
  const called = await run(context.redis, wakeScript, context.keys.prefix, [context.queue, user_id, id]);
  if (called === 1) await promote(context, context.queue, id);
  throw new DelayedError();
}

async function release(context: WorkerContext, envelope: Envelope): Promise<void> {
  const parked = await run(context.redis, releaseScript, context.keys.prefix, [
    context.queue,
    envelope.user_id,
    envelope.id,
    context.now() + slotLeaseMs(context.settings),
  ]);
  if (typeof parked === 'string') await promote(context, context.queue, parked);
}

async function processHeld(context: WorkerContext, held: Held): Promise<BullReturn> {
  const { name, envelope, job } = held;
  const verdict = await startJob(context, name, envelope, job);
  if (verdict.kind === 'parked') return putOffUnlessCalled(context, held, parkedMs);
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
    const outcome = await runHandler(context, name, held.handle, envelope, job, publisher);
    return await conclude(context, held, verdict, outcome, publisher);
  } catch (error) {
    return await recover(context, held, verdict.startedAt, error);
  }
}

async function conclude(
  context: WorkerContext,
  held: Held,
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

/** The result as its schema has it, with the owner's usage where that belongs to it. */
async function resultOf(
  name: JobName,
  result: object,
  charged: boolean,
  envelope: Envelope,
  verdict: Extract<StartVerdict, { kind: 'run' }>,
): Promise<Record<string, unknown>> {
  const schema = jobs[name].result;
  let whole: object = result;
  if ('usage' in schema.shape) {
    const usage = await verdict.usage();
    // The job's own reservation is among the used; it is given back when the job turns out to be free.
    const own = !charged && envelope.free !== true && jobs[name].usage !== null ? 1 : 0;
    whole = {
      ...result,
      usage: {
        ...usage,
        daily_used: Math.max(0, usage.daily_used - own),
        monthly_used: Math.max(0, usage.monthly_used - own),
      },
    };
  }
  const parsed = schema.safeParse(whole);
  if (parsed.success) return parsed.data;
  throw new ManuelError('internal', `The ${name} job gave a result that is not valid.`, {
    cause: parsed.error,
    retryable: false,
  });
}

/** What became of a run that threw: dropped, given back, tried again, or failed for good. */
async function recover(context: WorkerContext, held: Held, startedAt: number, thrown: unknown): Promise<BullReturn> {
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
  held: Held,
  startedAt: number | undefined,
  status: 'failed' | 'expired',
  error: StoredFailure,
  why = error.detail,
): Promise<BullReturn> {
  const standing = await recordOutcome(context, {
    name: held.name,
    envelope: held.envelope,
    charged: false,
    outcome: {
      status,
      finished_at: context.now(),
      ...(startedAt === undefined ? {} : { started_at: startedAt }),
      attempts: startedAt === undefined ? held.job.attemptsMade : attemptsOf(held.job),
      error,
    },
  });
  return concluded(standing, `${error.code}: ${why}`);
}

/** A job that somebody else ended: Redis and usage follow the ledger, then BullMQ forgets it. */
async function dropEnded(context: WorkerContext, held: Held): Promise<BullReturn> {
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

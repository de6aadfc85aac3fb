import { type Envelope, type JobName, type JobStatus, isTerminal } from '@manuel/contracts';
import type { JobRow, Outcome } from '@manuel/ledger';
import { finishOwn } from '../finish-job.ts';
import { promote } from '../promote.ts';
import { toJobView } from '../to-job-view.ts';
import { rowOf, usageOf } from './row-of.ts';
import type { WorkerContext } from './worker-context.ts';

export interface EndedRun {
  readonly name: JobName;
  readonly envelope: Envelope;
  readonly outcome: Outcome;
  /** Only for a completed job: whether it counts (a cached answer does not). */
  readonly charged: boolean;
  /** Waited for before the owner is told. */
  readonly meanwhile?: Promise<void>;
}

/** Tells Redis and the owner what stands in the ledger, and cleans up after a job that did not complete. */
async function settleInRedis(
  context: WorkerContext,
  { name, envelope }: Pick<EndedRun, 'name' | 'envelope'>,
  row: JobRow,
  charged: boolean,
  how: 'run' | 'dropped',
  tell: boolean,
): Promise<void> {
  const parked = await context.finish(
    finishOwn({ userId: envelope.user_id, jobId: envelope.id, charged, view: toJobView(row), tell, how }),
  );
  if (typeof parked === 'string') await promote(context, context.queue, parked);
  if (row.status !== 'completed') {
    try {
      await context.onAbandoned({ name, envelope, status: row.status });
    } catch (error) {
      context.logger.error('what an abandoned job left behind could not be removed', { job_id: envelope.id, error });
    }
  }
}

async function settleUsage(
  context: WorkerContext,
  envelope: Envelope,
  charged: boolean,
  tokens?: Outcome['tokens'],
): Promise<void> {
  // The system's own work appears in nobody's usage.
  if (envelope.free === true) return;
  await context.ledger.usage.settle({
    user_id: envelope.user_id,
    job_id: envelope.id,
    operation: envelope.operation,
    usage: usageOf(envelope),
    created_at: envelope.created_at,
    charged,
    ...(tokens ? { tokens } : {}),
  });
}

/**
 * Records how a job ended: usage and outcome in the ledger, then Redis and the owner. Returns what stands, which is another
 * outcome when somebody got there first (a cancel, a second run): then usage is made to agree with that.
 */
export async function recordOutcome(context: WorkerContext, ended: EndedRun): Promise<JobStatus> {
  const { name, envelope, outcome } = ended;
  const completed = outcome.status === 'completed';
  // Usage goes first: were it second, a crash in between would leave a completed job that nobody comes back to charge.
  if (completed && ended.charged) await settleUsage(context, envelope, true, outcome.tokens);
  const { won, row } = await context.ledger.jobs.finish(envelope.user_id, envelope.id, outcome);
  if (won || !row || !isTerminal(row.status)) {
    await ended.meanwhile;
    const standing: JobRow = { ...rowOf(name, envelope, outcome.attempts), ...outcome };
    const counted = (): void => count(context, standing);
    if (completed) {
      const { user_id: userId, id: jobId } = envelope;
      const args = finishOwn({
        userId,
        jobId,
        charged: ended.charged,
        view: toJobView(standing),
        tell: true,
        how: 'run',
      });
      context.moves.finishWithMove(jobId, args, counted);
    } else {
      // Redis and the owner know before what it left behind is cleaned up, which may take a while.
      await settleInRedis(context, ended, standing, false, outcome.started_at === undefined ? 'dropped' : 'run', true);
      counted();
    }
    return outcome.status;
  }
  if (row.status !== 'completed') await settleUsage(context, envelope, false);
  // The winner told the owner, unless it died before it could.
  await settleInRedis(context, ended, row, row.status === 'completed', 'dropped', false);
  return row.status;
}

/** A job that ended elsewhere: makes Redis agree with the ledger. Undefined when it has not ended after all. */
export async function adoptOutcome(
  context: WorkerContext,
  name: JobName,
  envelope: Envelope,
): Promise<JobStatus | undefined> {
  const row = await context.ledger.jobs.get(envelope.user_id, envelope.id);
  if (!row || !isTerminal(row.status)) return undefined;
  const completed = row.status === 'completed';
  if (!completed) await settleUsage(context, envelope, false);
  await settleInRedis(context, { name, envelope }, row, completed, 'dropped', false);
  return row.status;
}

function count(context: WorkerContext, row: JobRow): void {
  const labels = { job: row.job, status: row.status };
  context.metrics.count('jobs_finished_total', 'Jobs that reached a terminal state', labels);
  if (row.finished_at === undefined) return;
  if (row.started_at !== undefined) {
    context.metrics.time('job_run_seconds', 'From start to end', (row.finished_at - row.started_at) / 1000, labels);
    context.metrics.time('job_wait_seconds', 'From admission to start', (row.started_at - row.created_at) / 1000, {
      job: row.job,
      class: row.class,
    });
  }
}

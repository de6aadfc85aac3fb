import { isTerminal, jobs } from '@manuel/contracts';
import type { JobRow, Outcome, StoredFailure } from '@manuel/ledger';
import { Job } from 'bullmq';
import { dayOf } from './clock.ts';
import type { QueueContext } from './context.ts';
import { addToQueue, envelopeOf } from './enqueue.ts';
import { failureOf } from './failed-jobs.ts';
import { finishInRedis } from './finish-job.ts';
import { lastProgress } from './last-progress.ts';
import { promote } from './promote.ts';
import { probeScript } from './scripts/probe.ts';
import { requeueScript } from './scripts/requeue.ts';
import { run } from './scripts/script.ts';
import { toJobView } from './to-job-view.ts';

/** `unsure`: not at the first look (see `sweepRow`). */
export type Swept = 'left' | 'requeued' | 'expired' | 'settled' | 'unsure';

const lateFailure: StoredFailure = {
  code: 'expired',
  detail: 'The job waited too long and was not started in time. Please try again.',
  retryable: true,
};

/**
 * Looks at one open row of the ledger and makes Redis agree with it. Of a job that Redis forgot only its worker knows that it
 * has started, and says so at its next beat: such a one does not expire before the second look.
 */
export async function sweepRow(context: QueueContext, row: JobRow, look: 1 | 2): Promise<Swept> {
  const { queue } = jobs[row.job];
  const reply = await run(context.redis, probeScript, context.keys.prefix, [queue, row.job_id]);
  if (!Array.isArray(reply)) throw new Error('the probe gave no answer');
  const [state, mst, reason, atm, stc, alive = ''] = reply.map(String);
  const startedAt = mst ? Number(mst) : undefined;
  // A job that has started does not expire, neither do its retries and steps.
  const started = (startedAt ?? row.started_at) !== undefined || alive !== '' || carriesOn(row);
  const overdue = !started && context.now() > row.expires_at;

  if (startedAt !== undefined && row.started_at === undefined) {
    // Only jobs that live long enough to be met here cost this write; the others need it least.
    await context.ledger.jobs.started(row.user_id, row.job_id, startedAt);
  }
  switch (state) {
    case 'running':
      return 'left';
    case 'waiting':
    case 'delayed':
      if (!overdue) return 'left';
      return end(context, row, { status: 'expired', error: lateFailure, attempts: 0 }, 'expired');
    case 'failed': {
      const outcome = {
        status: 'failed' as const,
        error: failureOf(reason ?? '', row.job_id),
        attempts: Number(atm) + Number(stc),
        ...(startedAt === undefined ? {} : { started_at: startedAt }),
        ...(await lastProgress(context, queue, row.job_id)),
      };
      const swept = await end(context, row, outcome, 'settled');
      // Through a worker's hands once more: it removes what the job left behind and fails it again.
      await new Job(context.handles.get(queue), row.job, {}, {}, row.job_id).retry('failed');
      return swept;
    }
    case 'completed':
    case 'lost':
      // BullMQ believes what the ledger does not: only what the ledger says counts.
      if (!(await isStillOpen(context, row))) return 'left';
      await new Job(context.handles.get(queue), row.job, {}, {}, row.job_id).remove();
      break;
    default:
      if (Number(alive) > context.now()) return 'left';
      if (overdue && look === 1) return 'unsure';
      if (!(await isStillOpen(context, row))) return 'left';
      break;
  }
  if (overdue) {
    await end(context, row, { status: 'expired', error: lateFailure, attempts: 0 }, 'expired');
    // A worker still has to clean up after it, and it becomes a dead letter.
    await requeue(context, row, true);
    return 'expired';
  }
  await requeue(context, row, false, started);
  return 'requeued';
}

/** Whether the job has neither ended nor gone on as another since its row was read, which may be a while ago. */
async function isStillOpen(context: QueueContext, row: JobRow): Promise<boolean> {
  const now = await context.ledger.jobs.get(row.user_id, row.job_id);
  return now !== undefined && !isTerminal(now.status) && now.job === row.job;
}

/** The second half of a job: it has been started. */
const carriesOn = (row: JobRow): boolean => row.operation === 'voice' && row.job !== 'voice';

async function requeue(context: QueueContext, row: JobRow, ended: boolean, started = false): Promise<void> {
  const { queue } = jobs[row.job];
  let priority = 1;
  if (!ended) {
    priority = Number(
      await run(context.redis, requeueScript, context.keys.prefix, [
        queue,
        row.user_id,
        row.job_id,
        row.class,
        row.created_at,
        dayOf(row.created_at),
        row.usage === null ? 0 : 1,
      ]),
    );
  }
  const envelope = envelopeOf(row);
  const startedAt = row.started_at ?? (carriesOn(row) ? row.created_at : undefined);
  if (startedAt !== undefined) {
    await addToQueue(context, row.job, { ...envelope, carried: { started_at: startedAt } }, priority);
  } else if (started) {
    // Nobody knows when: it starts anew, whenever that may be.
    await context.redis.zadd(context.keys.alive, 'NX', context.now(), row.job_id);
    await addToQueue(context, row.job, { ...envelope, expires_at: Number.MAX_SAFE_INTEGER }, priority);
  } else await addToQueue(context, row.job, envelope, priority);
}

async function end(
  context: QueueContext,
  row: JobRow,
  outcome: Omit<Outcome, 'finished_at'>,
  swept: Swept,
): Promise<Swept> {
  const { won, row: standing } = await context.ledger.jobs.finish(row.user_id, row.job_id, {
    ...outcome,
    finished_at: context.now(),
  });
  if (!standing || !isTerminal(standing.status)) return 'left';
  if (standing.status !== 'completed') {
    await context.ledger.usage.settle({
      user_id: row.user_id,
      job_id: row.job_id,
      operation: row.operation,
      usage: row.usage,
      created_at: row.created_at,
      charged: false,
    });
  }
  const { queue } = jobs[row.job];
  const parked = await finishInRedis(context, queue, {
    userId: row.user_id,
    jobId: row.job_id,
    charged: standing.status === 'completed',
    view: toJobView(standing),
    tell: won,
    how: 'outside',
  });
  if (parked !== undefined) await promote(context, queue, parked);
  await promote(context, queue, row.job_id);
  return swept;
}

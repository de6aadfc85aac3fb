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

export type Swept = 'left' | 'requeued' | 'expired' | 'settled';

const lateFailure: StoredFailure = {
  code: 'expired',
  detail: 'The job waited too long and was not started in time. Please try again.',
  retryable: true,
};

/** Looks at one open row of the ledger and makes Redis agree with it. */
export async function sweepRow(context: QueueContext, row: JobRow): Promise<Swept> {
  const { queue } = jobs[row.job];
  const reply = await run(context.redis, probeScript, context.keys.prefix, [queue, row.job_id]);
  const [state, mst, reason, atm, stc] = (Array.isArray(reply) ? reply : ['unknown']) as (string | null | undefined)[];
  const overdue = context.now() > row.expires_at;
  const startedAt = typeof mst === 'string' ? Number(mst) : undefined;

  switch (state) {
    case 'running':
      return 'left';
    case 'waiting':
    case 'delayed':
      // A job that has started does not expire, neither do its retries and steps.
      if (startedAt !== undefined || !overdue || carriesOn(row)) return 'left';
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
      await new Job(context.handles.get(queue), row.job, {}, {}, row.job_id).remove();
      break;
    default:
      break;
  }
  if (overdue && !carriesOn(row)) {
    await end(context, row, { status: 'expired', error: lateFailure, attempts: 0 }, 'expired');
    // A worker still has to clean up after it, and it becomes a dead letter.
    await requeue(context, row);
    return 'expired';
  }
  await requeue(context, row);
  return 'requeued';
}

/** The second half of a job: it has been started. */
const carriesOn = (row: JobRow): boolean => row.operation === 'voice' && row.job !== 'voice';

async function requeue(context: QueueContext, row: JobRow): Promise<void> {
  const { queue } = jobs[row.job];
  const ended = context.now() > row.expires_at && !carriesOn(row);
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
  const carried = carriesOn(row) ? { carried: { started_at: row.started_at ?? row.created_at } } : {};
  await addToQueue(context, row.job, { ...envelope, ...carried }, priority);
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

import { type JobView, ManuelError, jobs } from '@manuel/contracts';
import type { QueueContext } from './context.ts';
import { finishInRedis } from './finish-job.ts';
import { promote } from './promote.ts';
import { operationOf, toJobView } from './to-job-view.ts';
import { readHot } from './view-job.ts';

/**
 * Cancels: the ledger first (one winner), then Redis. A queued job stays in its queue marked as ended, so that a worker
 * cleans up after it; a running one is aborted by its worker's next look at the marks.
 */
export async function cancelJob(context: QueueContext, userId: string, jobId: string): Promise<JobView | undefined> {
  if (operationOf(jobId) === undefined) return undefined;
  const hot = await readHot(context, userId, jobId);
  const live = hot && 'live' in hot ? hot.live : undefined;
  const { won, row } = await context.ledger.jobs.finish(userId, jobId, {
    status: 'cancelled',
    finished_at: context.now(),
    ...(hot && 'running' in hot ? hot.running : { attempts: live?.attempts ?? 0 }),
    ...(live?.started_at === undefined ? {} : { started_at: live.started_at, progress: live.view.progress }),
    error: { code: 'cancelled', detail: 'You cancelled this job.', retryable: false },
  });
  if (!row) return undefined;
  if (!won) throw new ManuelError('conflict', `The job has ended already (${row.status}) and cannot be cancelled.`);
  const view = toJobView(row, live ? { status: 'cancelled', progress: live.view.progress } : undefined);
  const queue = live?.queue ?? jobs[row.job].queue;
  const parked = await finishInRedis(context, queue, {
    userId,
    jobId,
    charged: false,
    view,
    tell: true,
    how: 'outside',
  });
  if (parked !== undefined) await promote(context, queue, parked);
  // A delayed job (parked, between two steps or tries) is brought forward to be cleaned up now.
  await promote(context, queue, jobId);
  context.logger.info('job cancelled', { job_id: jobId, user_id: userId, was: live?.view.status ?? 'unknown' });
  context.metrics.count('jobs_cancelled_total', 'Jobs cancelled by their owner', { queue });
  return view;
}

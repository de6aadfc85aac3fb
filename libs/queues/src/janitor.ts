import { connectWorker, disconnect } from './connections.ts';
import { queueContext } from './context.ts';
import { readFailed, removeFailed } from './failed-jobs.ts';
import { withLock } from './lock.ts';
import { recoveryTimes } from './recovery-times.ts';
import { dropStaleReservations } from './stale-reservations.ts';
import { type Swept, sweepRow } from './sweep.ts';
import type { Janitor, QueueDependencies } from './types.ts';

/** Milliseconds the lock of a sweep lives without being renewed, at most: the next sweep must find that of a dead one gone. */
const longestLockMs = 30_000;
/** Milliseconds a mark of a job that ended from outside is kept for the worker that meets it. */
const endedMarkMs = 86_400_000;
/** Rows looked at side by side. */
const abreast = 20;

/** The watchdog's side (see `Janitor`): makes Redis agree with the ledger, and hands over what failed. */
export async function createJanitor(deps: QueueDependencies): Promise<Janitor> {
  const redis = connectWorker(deps.settings, deps.logger);
  const context = queueContext(deps, redis);
  const { graceMs } = recoveryTimes(deps.settings);
  const lockMs = Math.min(longestLockMs, deps.settings.ledger.sweep_interval_ms);

  async function sweep(): Promise<{ seen: number; requeued: number; expired: number; settled: number }> {
    const count: Record<Swept, number> = { left: 0, requeued: 0, expired: 0, settled: 0 };
    let seen = 0;
    const look = async (row: Parameters<typeof sweepRow>[1]): Promise<void> => {
      seen += 1;
      try {
        count[await sweepRow(context, row)] += 1;
      } catch (error) {
        // The next sweep tries again; one bad row must not keep the others waiting.
        context.logger.error('a job could not be swept', { job_id: row.job_id, error });
      }
    };
    let batch: Promise<void>[] = [];
    for await (const row of context.ledger.jobs.open(context.now() - graceMs)) {
      batch.push(look(row));
      if (batch.length >= abreast) {
        await Promise.all(batch);
        batch = [];
      }
    }
    await Promise.all(batch);
    const stale = await dropStaleReservations(context, graceMs);
    await redis.zremrangebyscore(context.keys.ended, '-inf', context.now() - endedMarkMs);
    const { requeued, expired } = count;
    const settled = count.settled + stale;
    if (requeued + expired + settled > 0) context.logger.info('swept', { seen, requeued, expired, settled });
    context.metrics.count('jobs_requeued_total', 'Jobs that Redis had forgotten', {}, requeued);
    return { seen, requeued, expired, settled };
  }

  return {
    async sweep() {
      return (await withLock(context, 'sweep', lockMs, sweep)) ?? { seen: 0, requeued: 0, expired: 0, settled: 0 };
    },
    failed: (limit) => readFailed(context, limit),
    done: (job) => removeFailed(context, job),
    close: () => disconnect(redis),
  };
}

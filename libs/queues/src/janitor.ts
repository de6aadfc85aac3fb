import { setTimeout as sleep } from 'node:timers/promises';
import type { JobRow } from '@manuel/ledger';
import { connectWorker, disconnect } from './connections.ts';
import { queueContext } from './context.ts';
import { readFailed, removeFailed } from './failed-jobs.ts';
import { withLock } from './lock.ts';
import { recoveryTimes } from './recovery-times.ts';
import { dropStaleReservations } from './stale-reservations.ts';
import { type Swept, sweepRow } from './sweep.ts';
import type { Janitor, QueueDependencies } from './types.ts';
import { beatMs } from './worker/heartbeat.ts';

/** Milliseconds the lock of a sweep lives without being renewed, at most: the next sweep must find that of a dead one gone. */
const longestLockMs = 30_000;
/** Milliseconds a mark of a job is kept: ended from outside, for the worker that meets it; started, for the sweeper. */
const markMs = 86_400_000;
/** Milliseconds in which a worker that is there has said which jobs it runs. */
const secondLookMs = beatMs * 2;
/** Rows looked at side by side. */
const abreast = 20;

/** The watchdog's side (see `Janitor`): makes Redis agree with the ledger, and hands over what failed. */
export async function createJanitor(deps: QueueDependencies): Promise<Janitor> {
  const redis = connectWorker(deps.settings, deps.logger);
  const context = queueContext(deps, redis);
  const { graceMs } = recoveryTimes(deps.settings);
  const lockMs = Math.min(longestLockMs, deps.settings.ledger.sweep_interval_ms);

  async function sweep(): Promise<{ seen: number; requeued: number; expired: number; settled: number }> {
    const count: Record<Swept, number> = { left: 0, requeued: 0, expired: 0, settled: 0, unsure: 0 };
    const unsure: JobRow[] = [];
    let seen = 0;
    const look = async (row: JobRow, which: 1 | 2): Promise<void> => {
      seen += which === 1 ? 1 : 0;
      try {
        const swept = await sweepRow(context, row, which);
        count[swept] += 1;
        if (swept === 'unsure') unsure.push(row);
      } catch (error) {
        // The next sweep tries again; one bad row must not keep the others waiting.
        context.logger.error('a job could not be swept', { job_id: row.job_id, error });
      }
    };
    const lookAt = async (rows: AsyncIterable<JobRow> | Iterable<JobRow>, which: 1 | 2): Promise<void> => {
      let batch: Promise<void>[] = [];
      for await (const row of rows) {
        batch.push(look(row, which));
        if (batch.length >= abreast) {
          await Promise.all(batch);
          batch = [];
        }
      }
      await Promise.all(batch);
    };
    await lookAt(context.ledger.jobs.open(context.now() - graceMs), 1);
    if (unsure.length > 0) {
      await sleep(secondLookMs);
      await lookAt(unsure.splice(0), 2);
    }
    const stale = await dropStaleReservations(context, graceMs);
    for (const marks of [context.keys.ended, context.keys.alive]) {
      await redis.zremrangebyscore(marks, '-inf', context.now() - markMs);
    }
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

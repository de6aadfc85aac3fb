import type { JobView, QueueName } from '@manuel/contracts';
import type { QueueContext } from './context.ts';
import { finishScript } from './scripts/finish.ts';
import { run } from './scripts/script.ts';

export interface FinishedJob {
  readonly queue: QueueName;
  readonly userId: string;
  readonly jobId: string;
  readonly charged: boolean;
  readonly view: JobView;
  /** False where the owner was told before. */
  readonly tell: boolean;
  /** True when no worker knows of it yet: whichever meets the job drops it. */
  readonly outside: boolean;
}

/** Milliseconds a slot is held without a sign of life from its worker. */
export const slotLeaseMs = (context: QueueContext): number => context.settings.queue.lock_ms * 2;

/**
 * Redis' side of a terminal job (see `finishScript`). The ledger must know the outcome before. Returns a parked job's id
 * that got the slot and wants to be promoted.
 */
export async function finishInRedis(context: QueueContext, job: FinishedJob): Promise<string | undefined> {
  const { events } = context.settings;
  const parked = await run(context.redis, finishScript, context.keys.prefix, [
    job.queue,
    job.userId,
    job.jobId,
    context.now(),
    job.charged ? 1 : 0,
    slotLeaseMs(context),
    JSON.stringify(job.view),
    events.stream_ttl_s,
    events.stream_max_length,
    events.stream_ttl_s,
    job.tell ? 1 : 0,
    job.outside ? 1 : 0,
  ]);
  return typeof parked === 'string' ? parked : undefined;
}

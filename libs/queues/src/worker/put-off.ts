import type { Envelope } from '@manuel/contracts';
import { DelayedError, type Job } from 'bullmq';
import { slotLeaseMs } from '../finish-job.ts';
import { promote } from '../promote.ts';
import { releaseScript } from '../scripts/finish.ts';
import { run } from '../scripts/script.ts';
import { wakeScript } from '../scripts/wake.ts';
import type { HeldJob } from './held-job.ts';
import type { WorkerContext } from './worker-context.ts';

/** Back into the queue after a while, without using up a try. */
export async function putOff(job: Job, token: string, ms: number): Promise<never> {
  await job.moveToDelayed(Date.now() + ms, token);
  throw new DelayedError();
}

/**
 * Puts a job off that others may call back. Who called while it was on its way found it not yet delayed, so it looks itself.
 */
export async function putOffUnlessCalled(context: WorkerContext, held: HeldJob, ms: number): Promise<never> {
  const { id, user_id } = held.envelope;
  await held.job.moveToDelayed(Date.now() + ms, held.token);
  const called = await run(context.redis, wakeScript, context.keys.prefix, [context.queue, user_id, id]);
  if (called === 1) await promote(context, context.queue, id);
  throw new DelayedError();
}

/** Frees the user's slot of a job that is not terminal; a parked one gets it. */
export async function release(context: WorkerContext, envelope: Envelope): Promise<void> {
  const parked = await run(context.redis, releaseScript, context.keys.prefix, [
    context.queue,
    envelope.user_id,
    envelope.id,
    context.now() + slotLeaseMs(context.settings),
  ]);
  if (typeof parked === 'string') await promote(context, context.queue, parked);
}

import { type Envelope, type JobName, type Progress, jobs } from '@manuel/contracts';
import { dayOf } from '../clock.ts';
import { addToQueue } from '../enqueue.ts';
import { requeueScript } from '../scripts/requeue.ts';
import { run } from '../scripts/script.ts';
import type { BullReturn } from './process-job.ts';
import { adoptOutcome } from './record-outcome.ts';
import { usageOf } from './row-of.ts';
import type { WorkerContext } from './worker-context.ts';

/**
 * Lets the job go on as another, under the same id: the ledger first, then the other queue with a fair turn of its own (no
 * second quota), then the slot here is free. Safe to repeat: a job that is on the other queue already stays as it is.
 */
export async function handOver(
  context: WorkerContext,
  envelope: Envelope,
  next: JobName,
  payload: unknown,
  startedAt: number,
  progress: Progress | undefined,
  release: () => Promise<void>,
): Promise<BullReturn> {
  const done = await context.ledger.jobs.handOver(envelope.user_id, envelope.id, { job: next, payload });
  if (!done) {
    const status = await adoptOutcome(context, next, envelope);
    if (status) return status;
  }
  const { queue } = jobs[next];
  const priority = await run(context.redis, requeueScript, context.keys.prefix, [
    queue,
    envelope.user_id,
    envelope.id,
    envelope.class,
    envelope.created_at,
    dayOf(envelope.created_at),
    usageOf(envelope) === null ? 0 : 1,
  ]);
  const { step: _forgotten, ...kept } = envelope;
  const carried = { started_at: startedAt, ...(progress ? { progress } : {}) };
  await addToQueue(context, next, { ...kept, payload, carried }, Number(priority));
  await release();
  return 'handed over';
}

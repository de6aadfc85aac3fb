import type { JobView, QueueName } from '@manuel/contracts';
import type { QueueContext } from './context.ts';
import { recoveryTimes } from './recovery-times.ts';
import { finishScript } from './scripts/finish.ts';
import { run, type ScriptArgument, type ScriptReply } from './scripts/script.ts';

export interface FinishedJob {
  readonly userId: string;
  readonly jobId: string;
  readonly charged: boolean;
  readonly view: JobView;
  /** False where the owner was told before. */
  readonly tell: boolean;
  /** Its run ended it; or it was ended from outside, and whichever worker meets it drops it; or it was dropped now. */
  readonly how: 'run' | 'outside' | 'dropped';
}

const endings = { run: 0, outside: 1, dropped: 2 } as const;

/** Milliseconds a slot is held without a sign of life from its worker. */
export const slotLeaseMs = (settings: QueueContext['settings']): number => recoveryTimes(settings).lockMs * 2;

/** What all jobs share that a queue's worker (or another) finishes at one time; see `finishScript`. */
export function finishCommon(
  context: Pick<QueueContext, 'settings' | 'now'>,
  queue: QueueName,
): readonly ScriptArgument[] {
  const { events } = context.settings;
  const now = context.now();
  return [
    queue,
    now,
    now + slotLeaseMs(context.settings),
    events.stream_ttl_s,
    events.stream_max_length,
    events.stream_ttl_s,
  ];
}

/** One job's own arguments of `finishScript`. */
export const finishOwn = (job: FinishedJob): readonly ScriptArgument[] => [
  job.userId,
  job.jobId,
  job.charged ? 1 : 0,
  JSON.stringify({ type: 'job', job: job.view }),
  job.tell ? 1 : 0,
  endings[job.how],
  job.view.priority,
];

/**
 * Redis' side of one terminal job. The ledger must know the outcome before. Returns a parked job's id that got the slot and
 * wants to be promoted.
 */
export async function finishInRedis(
  context: QueueContext,
  queue: QueueName,
  job: FinishedJob,
): Promise<string | undefined> {
  const args = [...finishCommon(context, queue), ...finishOwn(job)];
  return parkedOf(await run(context.redis, finishScript, context.keys.prefix, args), 0);
}

/** The parked job in a reply of `finishScript`. */
export function parkedOf(reply: ScriptReply, index: number): string | undefined {
  const id = Array.isArray(reply) ? reply[index] : undefined;
  return typeof id === 'string' ? id : undefined;
}

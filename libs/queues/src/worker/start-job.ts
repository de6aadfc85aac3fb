import { type Envelope, type JobName, type QueueName, type UsageSummary, jobs } from '@manuel/contracts';
import type { Job } from 'bullmq';
import { slotLeaseMs } from '../finish-job.ts';
import { areWhole, readUsage, summaryOf } from '../quota.ts';
import type { ScriptArgument } from '../scripts/script.ts';
import { attemptsOf } from './row-of.ts';
import type { WorkerContext } from './worker-context.ts';

export type StartVerdict =
  | { readonly kind: 'run'; readonly startedAt: number; readonly usage: () => Promise<UsageSummary> }
  /** Ended from outside: drop it. */
  | { readonly kind: 'ended' }
  /** Not started in time. */
  | { readonly kind: 'expired' }
  /** The user runs as many as allowed: wait for one of them. */
  | { readonly kind: 'parked' };

/** What all jobs of one moment share; see `startScript`. */
export function startCommon(context: Pick<WorkerContext, 'settings' | 'now'>, queue: QueueName): ScriptArgument[] {
  const now = context.now();
  const { settings } = context;
  return [
    queue,
    now,
    now + slotLeaseMs(settings),
    settings.queue.max_active_per_user,
    settings.events.stream_max_length,
  ];
}

/** Whether the job may run now: decided when it was taken, or asked now (see `startScript`). Its owner is told of a first start. */
export async function startJob(
  context: WorkerContext,
  name: JobName,
  envelope: Envelope,
  job: Job,
): Promise<StartVerdict> {
  const reply =
    context.moves.verdictOn(job) ??
    (await context.start([
      envelope.user_id,
      envelope.id,
      envelope.class,
      envelope.operation,
      envelope.created_at,
      envelope.expires_at,
      job.priority,
      attemptsOf(job),
      envelope.carried?.started_at ?? '',
      job.attemptsStarted > 1 ? 1 : 0,
    ]));
  if (!Array.isArray(reply)) throw new Error('the start script gave no verdict');
  const [kind, startedAt, d = null, m = null, dl = null, ml = null] = reply as (string | null)[];
  if (kind === 'run') {
    return {
      kind,
      startedAt: Number(startedAt),
      usage: async () => {
        // Redis forgot the counters while the job waited.
        if (!areWhole({ d, m, dl, ml })) return readUsage(context, envelope.user_id);
        return summaryOf({ d, m, dl, ml }, context.settings.quota);
      },
    };
  }
  if (kind === 'ended' || kind === 'expired' || kind === 'parked') return { kind };
  throw new Error(`the start script answered ${String(kind)} for ${jobs[name].name}`);
}

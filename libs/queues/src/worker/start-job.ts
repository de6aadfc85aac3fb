import { type Envelope, type UsageSummary, jobs, type JobName } from '@manuel/contracts';
import type { Job } from 'bullmq';
import { slotLeaseMs } from '../finish-job.ts';
import { readUsage, summaryOf } from '../quota.ts';
import { run } from '../scripts/script.ts';
import { startScript } from '../scripts/start.ts';
import { attemptsOf, rowOf } from './row-of.ts';
import { toJobView } from '../to-job-view.ts';
import type { WorkerContext } from './worker-context.ts';

export type StartVerdict =
  | { readonly kind: 'run'; readonly startedAt: number; readonly usage: () => Promise<UsageSummary> }
  /** Ended from outside: drop it. */
  | { readonly kind: 'ended' }
  /** Not started in time. */
  | { readonly kind: 'expired' }
  /** The user runs as many as allowed: wait for one of them. */
  | { readonly kind: 'parked' };

/** Asks whether the job may run now (see `startScript`) and tells its owner at the first start. */
export async function startJob(
  context: WorkerContext,
  name: JobName,
  envelope: Envelope,
  job: Job,
): Promise<StartVerdict> {
  const now = context.now();
  const { queue, events } = context.settings;
  const { carried } = envelope;
  const view = toJobView({
    ...rowOf(name, envelope, attemptsOf(job)),
    status: 'active',
    started_at: now,
  });
  const reply = await run(context.redis, startScript, context.keys.prefix, [
    context.queue,
    envelope.user_id,
    envelope.id,
    envelope.class,
    now,
    // The second half of a job has started already: it does not expire.
    carried ? Number.MAX_SAFE_INTEGER : envelope.expires_at,
    queue.max_active_per_user,
    slotLeaseMs(context),
    job.priority,
    envelope.created_at,
    carried ? '' : JSON.stringify({ type: 'job', job: view }),
    events.stream_max_length,
    events.stream_ttl_s,
  ]);
  if (!Array.isArray(reply)) throw new Error('the start script gave no verdict');
  const [kind, startedAt, , , du, rd, mu, rm, dl, ml] = reply as (string | null)[];
  if (kind === 'run') {
    const fields = [du, rd, mu, rm, dl, ml].map((field) => field ?? null);
    return {
      kind,
      startedAt: carried?.started_at ?? Number(startedAt),
      usage: async () => {
        const [du = null, rd = null, mu = null, rm = null, dl = null, ml = null] = fields;
        // Redis forgot the counters while the job waited.
        if (du === null) return readUsage(context, envelope.user_id);
        return summaryOf({ du, rd, mu, rm, dl, ml }, context.settings.quota);
      },
    };
  }
  if (kind === 'ended' || kind === 'expired' || kind === 'parked') return { kind };
  throw new Error(`the start script answered ${String(kind)} for ${jobs[name].name}`);
}

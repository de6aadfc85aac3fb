import {
  type JobView,
  type Operation,
  type QueueName,
  envelopeSchema,
  jobOfOperation,
  jobs,
  userEventSchema,
} from '@manuel/contracts';
import type { JobRow } from '@manuel/ledger';
import type { QueueContext } from './context.ts';
import { acceptedStatus } from './enqueue.ts';
import { readProgress } from './last-progress.ts';
import { run } from './scripts/script.ts';
import { viewScript } from './scripts/view.ts';
import { operationOf, toJobView } from './to-job-view.ts';
import type { Answered } from './types.ts';

/** Where a job of the operation may lie, the later half first. */
export function queuesOf(operation: Operation): readonly QueueName[] {
  const own = jobs[jobOfOperation[operation]].queue;
  return operation === 'voice' ? ['query', own] : [own];
}

export interface LiveJob {
  readonly queue: QueueName;
  readonly view: JobView;
  readonly started_at: number | undefined;
  readonly attempts: number;
}

/** A job that Redis forgot, and its worker did not. */
export interface RunningJob {
  readonly started_at: number;
  readonly attempts: number;
}

/** What Redis knows of a user's job: the terminal view while hot, or the job as it waits or runs. */
export async function readHot(
  context: QueueContext,
  userId: string,
  jobId: string,
): Promise<{ terminal: JobView } | { live: LiveJob } | { running: RunningJob } | undefined> {
  const operation = operationOf(jobId);
  if (operation === undefined) return undefined;
  const reply = await run(context.redis, viewScript, context.keys.prefix, [
    userId,
    jobId,
    queuesOf(operation).join(','),
  ]);
  if (!Array.isArray(reply)) return undefined;
  if (reply[0] === 'view') {
    const event = userEventSchema.parse(JSON.parse(String(reply[1])));
    if (event.type !== 'job') throw new Error(`${jobId} is kept as something else than a job`);
    return { terminal: event.job };
  }
  if (reply[0] === 'running') return { running: { started_at: Number(reply[1]), attempts: Number(reply[2]) } };
  const [, queue, name, data, mst, progress = null] = reply as (string | null)[];
  const parsed = envelopeSchema.safeParse(JSON.parse(data ?? 'null'));
  // Another's job is none.
  if (!parsed.success || parsed.data.user_id !== userId) return undefined;
  const envelope = parsed.data;
  const startedAt = envelope.carried?.started_at ?? (typeof mst === 'string' ? Number(mst) : undefined);
  // Between two steps of a first try none is made or running, yet there was one.
  const attempts = startedAt === undefined ? 0 : Math.max(1, Number(reply[6]));
  const row: JobRow = {
    user_id: userId,
    job_id: jobId,
    operation,
    job: name === 'voice' || name === 'query' ? name : jobOfOperation[operation],
    class: envelope.class,
    status: startedAt === undefined ? 'queued' : 'active',
    payload: envelope.payload,
    created_at: envelope.created_at,
    expires_at: envelope.expires_at,
    attempts,
    request_id: envelope.request_id,
    usage: null,
    ...(startedAt === undefined ? {} : { started_at: startedAt }),
  };
  const known = readProgress(progress) ?? envelope.carried?.progress;
  const view = toJobView(row, { status: row.status, ...(known ? { progress: known } : {}) });
  // Safe: the script answers one of the names it was given.
  return { live: { queue: queue as QueueName, view, started_at: startedAt, attempts } };
}

/** Keeps a view that no job of the queue stands behind (a cached answer) for readers, as long as those of ended jobs. */
export async function keepView(context: QueueContext, userId: string, view: JobView): Promise<void> {
  const { redis, keys, settings } = context;
  const event = JSON.stringify({ type: 'job', job: view });
  await redis.set(keys.view(userId, view.id), event, 'EX', settings.events.stream_ttl_s);
}

/** The owner's view: from Redis while hot, else the ledger. Undefined: none, or another's. */
export async function viewJob(context: QueueContext, userId: string, jobId: string): Promise<JobView | undefined> {
  return (await viewAnswered(context, userId, jobId))?.view;
}

export async function viewAnswered(
  context: QueueContext,
  userId: string,
  jobId: string,
): Promise<Answered | undefined> {
  const hot = await readHot(context, userId, jobId);
  if (hot && 'terminal' in hot) return { view: hot.terminal, answeredStatus: acceptedStatus };
  if (hot && 'live' in hot) return { view: hot.live.view, answeredStatus: acceptedStatus };
  if (operationOf(jobId) === undefined) return undefined;
  const row = await context.ledger.jobs.get(userId, jobId);
  return row && answeredBy(row, hot && { status: 'active', ...hot.running });
}

/** Of a row as the ledger has it. */
export function answeredBy(row: JobRow, live?: Parameters<typeof toJobView>[1]): Answered {
  return { view: toJobView(row, live), answeredStatus: row.answered_status ?? acceptedStatus };
}

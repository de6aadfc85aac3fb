import { type JobName, ManuelError, type UsageSummary, jobs } from '@manuel/contracts';
import type { JobRow } from '@manuel/ledger';
import { dayOf, nextDay, nextMonth } from './clock.ts';
import type { QueueContext } from './context.ts';
import { queueList } from './keys.ts';
import { mostRebuilds, rebuildQuota, usageFrom } from './quota.ts';
import { retryAfterMs } from './retry-after.ts';
import { run, type ScriptArgument, type ScriptBytes } from './scripts/script.ts';
import { unadmitScript } from './scripts/unadmit.ts';
import type { AdmissionCheck, AdmitRequest } from './types.ts';

/** Seconds an Idempotency-Key is kept. */
export const idempotencyS = 86_400;
/** Whether the time of the key that named this row is over. */
export const isKeyOver = (row: Pick<JobRow, 'created_at'>, now: number): boolean =>
  row.created_at + idempotencyS * 1000 <= now;

export type Reservation =
  /** Quota reserved and a turn given. `fresh`: by this call. */
  | { readonly kind: 'ok'; readonly priority: number; readonly fresh: boolean }
  /** The key was used: by which job, for which body. */
  | { readonly kind: 'known'; readonly bodySha256: string; readonly jobId: string }
  | { readonly kind: 'cached'; readonly value: Buffer; readonly usage: () => Promise<UsageSummary> }
  | { readonly kind: 'refused'; readonly error: ManuelError };

export interface ReserveOptions {
  readonly jobId: string;
  /** True for an id that was made just now: nobody can have used it. */
  readonly jobIdIsFresh: boolean;
  /** Key in Redis of the Idempotency-Key; undefined: none was given. */
  readonly idempotencyKey: string | undefined;
  readonly lookUpIdempotency: boolean;
  /** False: no limits and no quota. */
  readonly limited: boolean;
  /** Tells whether there is quota and room, and reserves nothing. */
  readonly onlyAsk?: boolean;
}

/** What all admissions of one moment share; see `admitScript`. */
export function reserveCommon({ settings, now }: Pick<QueueContext, 'settings' | 'now'>): readonly ScriptArgument[] {
  const at = now();
  const { quota, queue } = settings;
  return [
    at,
    dayOf(at),
    quota.daily_limit,
    quota.monthly_limit,
    queue.max_size,
    queue.max_per_user,
    queueList,
    idempotencyS,
  ];
}

/** The fields of the quota hash that came along with a cached answer, as the user's usage. */
function usageIn(context: QueueContext, userId: string, quota: readonly ScriptBytes[]): Promise<UsageSummary> {
  return usageFrom(
    context,
    userId,
    quota.map((field) => (field === null ? null : String(field))),
  );
}

/** The atomic part of an admission (see `admitScript`). */
export async function reserve<N extends JobName>(
  context: QueueContext,
  request: AdmissionCheck<N> & Pick<AdmitRequest<N>, 'idempotency' | 'cacheKey'>,
  options: ReserveOptions,
  rebuilds = mostRebuilds,
): Promise<Reservation> {
  const definition = jobs[request.job];
  const reply = await context.reserve([
    definition.queue,
    request.userId,
    options.jobId,
    request.class,
    options.limited && definition.usage !== null ? 1 : 0,
    options.onlyAsk ? 2 : options.limited ? 1 : 0,
    options.idempotencyKey ?? '',
    request.idempotency?.bodySha256 ?? '',
    options.lookUpIdempotency ? 1 : 0,
    request.cacheKey?.versionKey ?? '',
    request.cacheKey?.prefix ?? '',
    request.cacheKey?.suffix ?? '',
    options.jobIdIsFresh ? 0 : 1,
  ]);
  if (!Array.isArray(reply)) throw new Error(`the admission script answered ${String(reply)}`);
  const [first, value, ...quota] = reply;
  if (String(first) === 'cached' && Buffer.isBuffer(value)) {
    return { kind: 'cached', value, usage: () => usageIn(context, request.userId, quota) };
  }
  const [kind, ...rest] = reply.map(String);
  if (kind === 'rebuild') {
    if (rebuilds === 0) throw new Error('usage counters vanished whenever they were rebuilt');
    await rebuildQuota(context, request.userId);
    return reserve(context, request, options, rebuilds - 1);
  }
  if (kind === 'ok') return { kind: 'ok', priority: Number(rest[0]), fresh: rest[1] === '1' };
  if (kind === 'idem') {
    const [bodySha256 = '', jobId = ''] = (rest[0] ?? '').split('|');
    return { kind: 'known', bodySha256, jobId };
  }
  return { kind: 'refused', error: refusal(context, context.now(), kind ?? '', rest) };
}

function refusal(context: QueueContext, now: number, kind: string, details: string[]): ManuelError {
  const { queue } = context.settings;
  if (kind === 'quota_exceeded') {
    const [period = 'day', used = '0', limit = '0'] = details;
    const reset = period === 'day' ? nextDay(now) : nextMonth(now);
    return new ManuelError(
      'quota_exceeded',
      `You have used ${used} of ${limit} questions and transcriptions this ${period}. It starts anew at ${new Date(reset).toISOString()}.`,
      { retryAfterMs: reset - now },
    );
  }
  if (kind === 'queue_full') {
    const [waiting, rate] = details;
    return new ManuelError('queue_full', `${waiting} jobs are waiting already. Please try again later.`, {
      retryAfterMs: retryAfterMs(queue.max_size, Number(rate)),
    });
  }
  if (kind === 'too_many_jobs') {
    const [mine = '0', all = '0', rate] = details;
    // The user's part of what is completed is taken to be the part of what waits.
    const share = Number(all) > 0 ? Number(mine) / Number(all) : 1;
    return new ManuelError('too_many_jobs', `${mine} of your jobs are waiting already. Wait for some of them to end.`, {
      retryAfterMs: retryAfterMs(queue.max_per_user, Number(rate) * share),
    });
  }
  throw new Error(`the admission script answered ${kind}`);
}

/** Takes a reservation back. */
export async function unreserve<N extends JobName>(
  context: QueueContext,
  request: AdmitRequest<N>,
  jobId: string,
  idempotencyKey: string | undefined,
): Promise<void> {
  await run(context.redis, unadmitScript, context.keys.prefix, [
    jobs[request.job].queue,
    request.userId,
    jobId,
    request.class,
    idempotencyKey ?? '',
  ]);
}

import { type UsageSummary, jobs } from '@manuel/contracts';
import { dayOf } from './clock.ts';
import type { QueueContext } from './context.ts';
import { limitsScript } from './scripts/limits.ts';
import { rebuildScript } from './scripts/rebuild.ts';
import { run } from './scripts/script.ts';

const asText = (value: number | undefined): string => (value === undefined ? '' : String(value));

/** Rebuilds in a row: Redis may be emptied again while one is under way. */
export const mostRebuilds = 3;

/**
 * Counters of a user from the ledger, when Redis has none. Once for all who ask while it is under way: reading a day of many jobs
 * takes long, and a burst of one user's requests would keep the ledger from everybody.
 */
export function rebuildQuota(context: QueueContext, userId: string): Promise<void> {
  const { rebuilding } = context;
  const known = rebuilding.get(userId);
  if (known) return known;
  const rebuilt = rebuild(context, userId).finally(() => rebuilding.delete(userId));
  rebuilding.set(userId, rebuilt);
  return rebuilt;
}

/**
 * What was used, and what is open besides. The open jobs are read before the totals, so that none is missed; one that is charged
 * meanwhile, though its end has not come to Redis, is among the totals and not counted again.
 */
async function rebuild(context: QueueContext, userId: string): Promise<void> {
  const { ledger, redis, keys } = context;
  const now = context.now();
  const [open, limits, entries] = await Promise.all([
    ledger.jobs.openOf(userId),
    ledger.usage.limits(userId),
    redis.hkeys(keys.open(userId)),
  ]);
  const about = new Set([...open.map((row) => row.job_id), ...entries]);
  const { charged, ...totals } = await ledger.usage.totals(userId, now, [...about]);
  await run(redis, rebuildScript, keys.prefix, [
    userId,
    dayOf(now),
    totals.daily_used,
    totals.monthly_used,
    asText(limits.daily_limit),
    asText(limits.monthly_limit),
    charged.length,
    ...charged,
    ...open.flatMap((row) => [row.job_id, dayOf(row.created_at), row.usage === null ? 0 : 1, jobs[row.job].queue]),
  ]);
  context.logger.debug('usage counters rebuilt from the ledger', { user_id: userId, open: open.length });
}

/** Fields of the quota hash as Redis gives them (see `Keys.quota`). */
export interface QuotaFields {
  readonly d: string | null;
  readonly m: string | null;
  readonly dl: string | null;
  readonly ml: string | null;
}

/** Counters that lost a part, or that another version wrote, are as good as none (see `countersLua`). */
export const areWhole = ({ d, m, dl, ml }: QuotaFields): boolean =>
  isCount(d) && isCount(m) && (dl === null || isCount(dl)) && (ml === null || isCount(ml));
const isCount = (text: string | null): boolean => text !== null && /^-?\d+$/.test(text);

/** Used and reserved together, against the limits that hold for the user. Of counters that are whole. */
export function summaryOf(fields: QuotaFields, quota: { daily_limit: number; monthly_limit: number }): UsageSummary {
  return {
    daily_used: Math.max(0, Number(fields.d ?? 0)),
    daily_limit: fields.dl === null ? quota.daily_limit : Number(fields.dl),
    monthly_used: Math.max(0, Number(fields.m ?? 0)),
    monthly_limit: fields.ml === null ? quota.monthly_limit : Number(fields.ml),
  };
}

/** The fields that `usageFrom` takes, in its order. */
const usageFields = ['day', 'month', 'd', 'm', 'dl', 'ml'] as const;

/** Used (reservations counted) and limits as of now. */
export async function readUsage(context: QueueContext, userId: string, rebuilds?: number): Promise<UsageSummary> {
  const fields = await context.redis.hmget(context.keys.quota(userId), ...usageFields);
  return usageFrom(context, userId, fields, rebuilds);
}

/** The same from what Redis gave for `usageFields`; from the ledger when it had nothing, or only a part. */
export async function usageFrom(
  context: QueueContext,
  userId: string,
  fields: readonly (string | null)[],
  rebuilds = mostRebuilds,
): Promise<UsageSummary> {
  const [day = null, month = null, d = null, m = null, dl = null, ml = null] = fields;
  const whole = day !== null && month !== null && areWhole({ d, m, dl, ml });
  if (!whole && rebuilds > 0) {
    await rebuildQuota(context, userId);
    return readUsage(context, userId, rebuilds - 1);
  }
  const today = dayOf(context.now());
  const sameDay = whole && day >= today;
  const sameMonth = whole && month >= today.slice(0, 7);
  return summaryOf({ d: sameDay ? d : null, m: sameMonth ? m : null, dl, ml }, context.settings.quota);
}

/** Writes overrides of a user's limits: in the ledger, then where counters are kept. */
export async function writeLimits(
  context: QueueContext,
  userId: string,
  limits: { daily_limit?: number; monthly_limit?: number },
): Promise<void> {
  await context.ledger.usage.setLimits(userId, limits);
  const standing = await context.ledger.usage.limits(userId);
  await run(context.redis, limitsScript, context.keys.prefix, [
    userId,
    asText(standing.daily_limit),
    asText(standing.monthly_limit),
  ]);
}

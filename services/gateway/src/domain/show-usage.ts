import type { QuotaView, UsageView } from '@manuel/contracts';
import type { Caller } from './caller.ts';
import type { Outside } from './outside.ts';

/** The next midnight and the next first of the month, UTC. */
export function resetsAt(now: number): { daily: string; monthly: string } {
  const date = new Date(now);
  const [year, month, day] = [date.getUTCFullYear(), date.getUTCMonth(), date.getUTCDate()];
  return {
    daily: new Date(Date.UTC(year, month, day + 1)).toISOString(),
    monthly: new Date(Date.UTC(year, month + 1, 1)).toISOString(),
  };
}

export async function showUsage(outside: Outside, caller: Caller, now = Date.now()): Promise<UsageView> {
  const [usage, history] = await Promise.all([
    outside.admitter.usage(caller.userId),
    outside.ledger.usage.history(caller.userId, outside.settings.quota.retention_days, now),
  ]);
  return { ...usage, by_operation: history.by_operation, resets_at: resetsAt(now), history: history.days };
}

export async function showQuota(outside: Pick<Outside, 'admitter'>, userId: string): Promise<QuotaView> {
  const { daily_used, daily_limit, monthly_used, monthly_limit } = await outside.admitter.usage(userId);
  return {
    daily_limit,
    monthly_limit,
    daily_remaining: Math.max(0, daily_limit - daily_used),
    monthly_remaining: Math.max(0, monthly_limit - monthly_used),
  };
}

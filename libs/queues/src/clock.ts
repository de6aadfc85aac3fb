import { rfc3339 } from '@manuel/contracts';

/** Calendar of quotas: days and months turn over in UTC. */
export const dayOf = (ms: number): string => rfc3339(ms).slice(0, 10);

export function nextDay(ms: number): number {
  const date = new Date(ms);
  return Date.UTC(date.getUTCFullYear(), date.getUTCMonth(), date.getUTCDate() + 1);
}

export function nextMonth(ms: number): number {
  const date = new Date(ms);
  return Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 1);
}

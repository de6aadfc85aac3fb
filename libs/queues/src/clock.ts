import { rfc3339 } from '@manuel/contracts';

const dayMs = 86_400_000;
let lastDay = { day: Number.NaN, text: '' };

/** Calendar of quotas: days and months turn over in UTC. */
export function dayOf(ms: number): string {
  const day = Math.floor(ms / dayMs);
  if (lastDay.day !== day) lastDay = { day, text: rfc3339(ms).slice(0, 10) };
  return lastDay.text;
}

export function nextDay(ms: number): number {
  const date = new Date(ms);
  return Date.UTC(date.getUTCFullYear(), date.getUTCMonth(), date.getUTCDate() + 1);
}

export function nextMonth(ms: number): number {
  const date = new Date(ms);
  return Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 1);
}

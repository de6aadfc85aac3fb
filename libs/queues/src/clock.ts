/** Calendar of quotas: days and months turn over in UTC. */
export const dayOf = (ms: number): string => new Date(ms).toISOString().slice(0, 10);

export function nextDay(ms: number): number {
  const date = new Date(ms);
  return Date.UTC(date.getUTCFullYear(), date.getUTCMonth(), date.getUTCDate() + 1);
}

export function nextMonth(ms: number): number {
  const date = new Date(ms);
  return Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 1);
}

let minute = Number.NaN;
let upToMinute = '';

/**
 * Milliseconds since 1970 as RFC 3339 in UTC: `2026-11-20T23:45:00.123Z`. What `Date` says, at a tenth of its cost for times
 * of one minute: every job's view has three of them.
 */
export function rfc3339(ms: number): string {
  const of = Math.floor(ms / 60_000);
  if (of !== minute) {
    upToMinute = new Date(of * 60_000).toISOString().slice(0, -7);
    minute = of;
  }
  const digits = String(100_000 + Math.floor(ms - of * 60_000));
  return `${upToMinute}${digits.slice(1, 3)}.${digits.slice(3)}Z`;
}

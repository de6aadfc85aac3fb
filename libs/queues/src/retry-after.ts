/** Bounds of `Retry-After` for a full queue, seconds. */
const shortest = 1;
const longest = 600;
/** Assumed completions a second when none were seen lately. */
const unknownRate = 0.2;

/**
 * Milliseconds until a tenth of the places should be free again, at the observed rate of completion. A tenth and not one
 * place: whoever comes back should not find the same full queue with everybody else.
 */
export function retryAfterMs(places: number, completionsPerS: number): number {
  const rate = completionsPerS > 0.001 ? completionsPerS : unknownRate;
  const seconds = Math.ceil(Math.max(1, places / 10) / rate);
  return Math.min(longest, Math.max(shortest, seconds)) * 1000;
}

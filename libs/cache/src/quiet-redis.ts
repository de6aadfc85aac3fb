import type { Logger } from '@manuel/telemetry';

const quietMs = 5000;

/**
 * A cache may be missed: Redis trouble becomes `fallback`, is logged at most every few seconds, and is never an error of the
 * caller's.
 */
export function createQuiet(logger: Logger): <T>(what: string, work: () => Promise<T>, fallback: T) => Promise<T> {
  let loggedAt = 0;
  return async (what, work, fallback) => {
    try {
      return await work();
    } catch (error) {
      if (Date.now() - loggedAt > quietMs) {
        loggedAt = Date.now();
        logger.warn('the cache cannot be used at the moment', { what, error });
      }
      return fallback;
    }
  };
}

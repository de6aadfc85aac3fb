import { run } from '../scripts/script.ts';
import { trimScript } from '../scripts/trim.ts';
import type { WorkerContext } from './worker-context.ts';

/** Completed jobs kept in BullMQ for Bull Board; what clients read lies elsewhere. */
const kept = 1000;
/** Jobs that may complete on one worker until it looks. */
const everyJobs = 250;
/** Removed in one run of the script: few enough not to keep Redis from others. */
const mostAtOnce = 500;

/**
 * Keeps the set of completed jobs short. BullMQ could do it with every job that completes, at a fifth of what completing it
 * costs Redis; by the hundred it costs hardly anything. Call it after each; `now` looks at once.
 */
export function trimCompleted(context: WorkerContext): { completed(): void; now(): Promise<void> } {
  const { redis, keys, queue, logger } = context;
  let since = 0;

  async function now(): Promise<void> {
    since = 0;
    while (Number(await run(redis, trimScript, keys.prefix, [queue, kept, mostAtOnce])) === mostAtOnce);
  }

  return {
    now,
    completed() {
      since += 1;
      if (since < everyJobs) return;
      now().catch((error: unknown) => logger.warn('completed jobs were not trimmed', { queue, error }));
    },
  };
}

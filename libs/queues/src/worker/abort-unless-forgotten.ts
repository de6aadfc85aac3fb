import type { WorkerContext } from './worker-context.ts';

/**
 * Runs whose lock could not be renewed. Where the job is still there, another worker may have it: the run here ends. Where
 * Redis forgot it, nobody else has it: it goes on, the heartbeat tells the sweeper, and its outcome counts in the ledger.
 */
export async function abortUnlessForgotten(context: WorkerContext, ids: readonly string[]): Promise<void> {
  const { redis, keys, queue, running, logger } = context;
  for (const id of ids) {
    const run = running.find(id);
    if (!run) continue;
    if ((await redis.exists(`${keys.prefix}:${queue}:${id}`)) === 1) run.abort('lock lost');
    else logger.warn('Redis forgot a job that runs here; it goes on', { queue, job_id: id });
  }
}

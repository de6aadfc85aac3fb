import { beatScript } from '../scripts/beat.ts';
import { run } from '../scripts/script.ts';
import { slotLeaseMs } from '../finish-job.ts';
import type { WorkerContext } from './worker-context.ts';

/** Milliseconds between two looks for jobs that were cancelled elsewhere. */
export const beatMs = 500;
/** Milliseconds for which a beat says that its jobs run: a few may be missed. */
const sureMs = beatMs * 4;

/** While jobs run: renews their slots and aborts those that ended from outside. Returns how to stop it. */
export function startHeartbeat(context: WorkerContext): () => void {
  let beating = false;
  const beat = async (): Promise<void> => {
    const runs = context.running.all();
    if (runs.length === 0) return;
    const now = context.now();
    const args = [context.queue, now + slotLeaseMs(context.settings), now + sureMs, sureMs];
    const own = runs.flatMap(({ userId, jobId, startedAt, attempts }) => [userId, jobId, startedAt, attempts]);
    const ended = await run(context.redis, beatScript, context.keys.prefix, [...args, ...own]);
    for (const id of Array.isArray(ended) ? ended : []) context.running.find(String(id))?.abort('ended outside');
  };
  const timer = setInterval(() => {
    if (beating) return;
    beating = true;
    beat()
      .catch((error: unknown) => context.logger.warn('a heartbeat failed', { error }))
      .finally(() => (beating = false));
  }, beatMs);
  timer.unref();
  return () => clearInterval(timer);
}

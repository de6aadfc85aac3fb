import { jobClasses } from '@manuel/contracts';
import { ageScript } from '../scripts/age.ts';
import { run } from '../scripts/script.ts';
import type { WorkerContext } from './worker-context.ts';

/** Share of `queue.max_wait_s` after which waiting work goes to the front. */
const agedShare = 0.6;
/** Looks within `queue.max_wait_s`. */
const looks = 20;
/** Least number of jobs moved at a look, however slow the queue. */
const leastMoved = 10;
/** Share of the completions of a look that aged work may take: new work goes on, too. */
const agedPart = 0.75;

/**
 * Housekeeping of one queue, done by whichever of its workers gets the lock of the moment: ages waiting work, forgets fair
 * turns that say nothing any more. Returns how to stop it.
 */
export function startMaintenance(context: WorkerContext): () => void {
  const { redis, keys, queue, settings, logger } = context;
  const everyMs = Math.max(100, (settings.queue.max_wait_s * 1000) / looks);

  async function tick(): Promise<void> {
    // The lock is never given back: it lapses just before the next look is due.
    const locked = await redis.set(keys.lock(`maintain:${queue}`), '1', 'PX', Math.floor(everyMs * 0.9), 'NX');
    if (locked !== 'OK') return;
    const now = context.now();
    const [at, sum] = await redis.hmget(`${keys.prefix}:rate:${queue}`, 't', 'c');
    const perMs = at ? (Number(sum) * Math.exp(Math.min(0, (Number(at) - now) / 30_000))) / 30_000 : 0;
    const most = Math.max(leastMoved, Math.ceil(perMs * everyMs * agedPart));
    const before = now - settings.queue.max_wait_s * 1000 * agedShare;
    const moved = await run(redis, ageScript, keys.prefix, [queue, before, most]);
    if (Number(moved) > 0) {
      logger.debug('waiting work was moved to the front', { queue, moved });
      context.metrics.count('jobs_aged_total', 'Waiting jobs moved to the front', { queue }, Number(moved));
    }
    await prune();
  }

  /** A finish tag at or below the virtual time gives the same turn as none. */
  async function prune(): Promise<void> {
    for (const name of jobClasses) {
      const key = `${keys.prefix}:fair:${queue}:${name}`;
      if ((await redis.hlen(key)) < 1000) continue;
      const virtual = Number((await redis.hget(key, '#v')) ?? 0);
      const [, entries] = await redis.hscan(key, 0, 'COUNT', 1000);
      const idle: string[] = [];
      for (let i = 0; i < entries.length; i += 2) {
        const field = entries[i];
        if (field !== undefined && field !== '#v' && Number(entries[i + 1]) <= virtual) idle.push(field);
      }
      if (idle.length > 0) await redis.hdel(key, ...idle);
    }
  }

  let busy = false;
  const timer = setInterval(() => {
    // Commands wait for a Redis that is away; there is no use in piling them up.
    if (busy || redis.status !== 'ready') return;
    busy = true;
    tick()
      .catch((error: unknown) => logger.warn('housekeeping of a queue failed', { queue, error }))
      .finally(() => (busy = false));
  }, everyMs);
  timer.unref();
  return () => clearInterval(timer);
}

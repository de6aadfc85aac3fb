import { jobClasses } from '@manuel/contracts';
import { ageScript } from '../scripts/age.ts';
import { run } from '../scripts/script.ts';
import type { WorkerContext } from './worker-context.ts';

/** Milliseconds over which the rate of completion is averaged. */
const rateWindowMs = 30_000;
/** Share of `queue.max_wait_s` after which waiting work goes to the front. */
const agedShare = 0.6;
/** Looks within `queue.max_wait_s`. */
const looks = 20;
/** Least number of jobs moved at a look, however slow the queue. */
const leastMoved = 10;
/** Share of the completions of a look that aged work may take: new work goes on, too. */
const agedPart = 0.75;

/**
 * Completions a second, as an average that forgets exponentially: from the queue's count of finished jobs, looked at now and
 * then. Admission computes `Retry-After` from it.
 */
async function measureRate(context: WorkerContext, now: number): Promise<number> {
  const { redis, keys, queue } = context;
  const key = `${keys.prefix}:rate:${queue}`;
  const [[at, count, rate], total] = await Promise.all([
    redis.hmget(key, 'at', 'count', 'per_s'),
    redis.get(`${keys.prefix}:finished:${queue}`),
  ]);
  const finished = Number(total ?? 0);
  const ms = now - Number(at ?? now);
  let perS = Number(rate ?? 0);
  if (ms > 0) {
    const seen = (Math.max(0, finished - Number(count ?? 0)) * 1000) / ms;
    const fresh = typeof rate === 'string' && perS > 0 ? 1 - Math.exp(-ms / rateWindowMs) : 1;
    perS += (seen - perS) * fresh;
  }
  await redis.hset(key, { at: now, count: finished, per_s: perS.toFixed(6) });
  return perS;
}

/**
 * Housekeeping of one queue, done by whichever of its workers gets the lock of the moment: ages waiting work, forgets fair
 * turns that say nothing any more, does the other chores. Returns how to stop it.
 */
export function startMaintenance(context: WorkerContext, chores: readonly (() => Promise<void>)[]): () => void {
  const { redis, keys, queue, settings, logger } = context;
  const everyMs = Math.max(100, (settings.queue.max_wait_s * 1000) / looks);

  async function tick(): Promise<void> {
    // The lock is never given back: it lapses just before the next look is due.
    const locked = await redis.set(keys.lock(`maintain:${queue}`), '1', 'PX', Math.floor(everyMs * 0.9), 'NX');
    if (locked !== 'OK') return;
    const now = context.now();
    const perS = await measureRate(context, now);
    const most = Math.max(leastMoved, Math.ceil((perS * everyMs * agedPart) / 1000));
    const before = now - settings.queue.max_wait_s * 1000 * agedShare;
    const moved = await run(redis, ageScript, keys.prefix, [queue, before, most]);
    if (Number(moved) > 0) {
      logger.debug('waiting work was moved to the front', { queue, moved });
      context.metrics.count('jobs_aged_total', 'Waiting jobs moved to the front', { queue }, Number(moved));
    }
    await prune();
    for (const chore of chores) await chore();
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

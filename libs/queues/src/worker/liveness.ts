import { type WorkerContext } from './worker-context.ts';

export interface Liveness {
  progressed(): void;
  check(): Promise<{ ok: boolean; detail: Record<string, unknown> }>;
}

/**
 * Progress, not a ping: a worker is stuck when, over two looks, work waited that it could have taken and it took none for
 * the time of a lock. BullMQ's own `isRunning` stays true in a worker that hangs silently.
 */
export function watchLiveness(context: () => WorkerContext, concurrency: number, stuckAfterMs: number): Liveness {
  let last = Date.now();
  let idleSince: number | undefined;
  return {
    progressed() {
      last = Date.now();
      idleSince = undefined;
    },
    async check() {
      const { redis, keys, queue, running } = context();
      const detail = { running: running.count, last_progress_s: Math.round((Date.now() - last) / 1000) };
      if (running.count >= concurrency) return { ok: true, detail };
      if (redis.status !== 'ready') {
        idleSince = undefined;
        return { ok: true, detail: { ...detail, redis: redis.status } };
      }
      const name = `${keys.prefix}:${queue}`;
      const [prioritized, wait, paused] = await Promise.all([
        redis.zcard(`${name}:prioritized`),
        redis.llen(`${name}:wait`),
        redis.hexists(`${name}:meta`, 'paused'),
      ]);
      const waiting = prioritized + wait;
      if (waiting === 0 || paused === 1) {
        idleSince = undefined;
        return { ok: true, detail: { ...detail, waiting } };
      }
      idleSince ??= Date.now();
      return { ok: Date.now() - idleSince < stuckAfterMs, detail: { ...detail, waiting } };
    },
  };
}

import type { Degradation } from '@manuel/contracts';
import { degradations } from '@manuel/contracts';
import type { Settings } from '@manuel/settings';
import type { Redis } from 'ioredis';

export interface DegradationState {
  /** Whether more than `degradation.max_failure_rate` of the answers in the window were less than full. */
  readonly degraded: boolean;
  /** Share of lesser answers in the window, 0..1; null when there was none at all. */
  readonly failure_rate: number | null;
  readonly window_ms: number;
  readonly counts: Readonly<Record<Degradation, number>>;
}

const bucketMs = 10_000;

/** How answers came about lately, all workers together: written by them, read for the system's health. */
export interface DegradationWindow {
  note(level: Degradation, now?: number): Promise<void>;
  read(now?: number): Promise<DegradationState>;
}

export function createDegradationWindow(deps: {
  readonly settings: Settings;
  readonly redis: Redis;
}): DegradationWindow {
  const { redis } = deps;
  const { window_ms, max_failure_rate } = deps.settings.degradation;
  const keyOf = (bucket: number): string => `${deps.settings.redis.prefix}:degradation:${bucket}`;
  return {
    async note(level, now = Date.now()) {
      const key = keyOf(Math.floor(now / bucketMs));
      const answers = await redis
        .pipeline()
        .hincrby(key, level, 1)
        .pexpire(key, window_ms + bucketMs)
        .exec();
      const failed = answers?.find(([error]) => error !== null)?.[0];
      if (failed) throw failed;
    },
    async read(now = Date.now()) {
      const newest = Math.floor(now / bucketMs);
      const pipeline = redis.pipeline();
      for (let age = 0; age < Math.ceil(window_ms / bucketMs); age += 1) pipeline.hgetall(keyOf(newest - age));
      const counts = Object.fromEntries(degradations.map((level) => [level, 0])) as Record<Degradation, number>;
      for (const [error, fields] of (await pipeline.exec()) ?? []) {
        if (error) throw error;
        for (const level of degradations) counts[level] += Number((fields as Record<string, string>)[level] ?? 0);
      }
      const all = degradations.reduce((sum, level) => sum + counts[level], 0);
      const failure_rate = all === 0 ? null : (all - counts.none) / all;
      return { degraded: failure_rate !== null && failure_rate > max_failure_rate, failure_rate, window_ms, counts };
    },
  };
}

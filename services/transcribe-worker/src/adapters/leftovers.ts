import type { S3, Transcribe } from '@manuel/aws';
import type { Settings } from '@manuel/settings';
import type { Logger } from '@manuel/telemetry';
import type { Redis } from 'ioredis';
import { z } from 'zod';
import { every } from './every.ts';
import type { Leftover, Limiter } from '../domain/outside.ts';

const leftoverSchema = z.object({ name: z.string(), keys: z.array(z.string()) });
/** At most so many at one look. */
const atOnce = 20;

export interface Leftovers {
  add(leftover: Leftover): Promise<void>;
  /** One look at what is due; answers how many are gone for good. */
  sweep(): Promise<number>;
  close(): Promise<void>;
}

/**
 * Transcribe deletes no job that still runs. What an abandoned job leaves there is noted in Redis and removed by whichever
 * worker looks first after it ended. Should Redis forget, the bucket's lifecycle removes what is in S3.
 */
export function createLeftovers(deps: {
  readonly redis: Redis;
  readonly settings: Pick<Settings, 'redis' | 'transcribe' | 'storage'>;
  readonly s3: Pick<S3, 'deleteObjects'>;
  readonly transcribe: Pick<Transcribe, 'delete'>;
  readonly limiter: Limiter;
  readonly logger: Logger;
}): Leftovers {
  const { redis, settings, s3, transcribe, limiter, logger } = deps;
  const key = `${settings.redis.prefix}:transcribe:leftovers`;
  const pauseMs = settings.transcribe.poll_max_ms;

  const addAt = (member: string, at: number): Promise<unknown> => redis.zadd(key, at, member);

  async function remove(member: string): Promise<boolean> {
    const { name, keys } = leftoverSchema.parse(JSON.parse(member));
    if ((await transcribe.delete(name)) === 'running') return false;
    await s3.deleteObjects(settings.storage.audio_bucket, keys);
    await limiter.vacate(name);
    await redis.zrem(key, member);
    return true;
  }

  async function sweep(): Promise<number> {
    const due = await redis.zrangebyscore(key, '-inf', Date.now(), 'LIMIT', 0, atOnce);
    let removed = 0;
    for (const member of due) {
      // Whoever moves it on first has it; the others find it not due.
      await addAt(member, Date.now() + pauseMs);
      if (await remove(member)) removed += 1;
    }
    return removed;
  }

  const stop = every(pauseMs, 'removing what cancelled jobs left behind', logger, async () => {
    if (redis.status === 'ready') await sweep();
  });

  return {
    add: async ({ name, keys }) => void (await addAt(JSON.stringify({ name, keys }), Date.now() + pauseMs)),
    sweep,
    close: stop,
  };
}

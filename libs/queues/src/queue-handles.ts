import { ManuelError, type QueueName } from '@manuel/contracts';
import { Queue } from 'bullmq';
import type { Redis } from 'ioredis';
import type { Logger } from '@manuel/telemetry';
import { gatherAdds } from './bull/gather-adds.ts';
import { ownBackend } from './bull/own-backend.ts';

/**
 * BullMQ's own event stream is read by nobody here (our events have streams of their own): keep it short.
 */
const bullEventsLength = 100;

export interface QueueHandles {
  /** BullMQ's handle of a queue. Throws `unavailable` while the connection is not ready: BullMQ would wait or break for good. */
  get(name: QueueName): Queue;
  close(): Promise<void>;
}

/** BullMQ queues over one connection, each made when it is first needed and Redis is there. */
export function queueHandles(redis: Redis, prefix: string, logger: Logger): QueueHandles {
  const made = new Map<QueueName, Queue>();
  return {
    get(name) {
      const known = made.get(name);
      if (known) return known;
      if (redis.status !== 'ready') {
        throw new ManuelError(
          'unavailable',
          'The job queue cannot be reached at the moment. Please try again shortly.',
          {
            retryAfterMs: 2000,
          },
        );
      }
      const queue = new Queue(
        name,
        { connection: redis, prefix, skipVersionCheck: true, streams: { events: { maxLen: bullEventsLength } } },
        ownBackend({ redis, prefix, own: new Map([['addPrioritizedJob', gatherAdds(redis, prefix)]]) }),
      );
      queue.on('error', (error) => logger.warn('queue trouble', { queue: name, error }));
      made.set(name, queue);
      return queue;
    },
    async close() {
      await Promise.all([...made.values()].map((queue) => queue.close()));
    },
  };
}

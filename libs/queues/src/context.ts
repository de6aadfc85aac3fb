import type { Redis } from 'ioredis';
import { type Keys, keysOf } from './keys.ts';
import { type QueueHandles, queueHandles } from './queue-handles.ts';
import type { QueueDependencies } from './types.ts';

interface Shared {
  readonly redis: Redis;
  readonly keys: Keys;
  readonly handles: QueueHandles;
  readonly now: () => number;
}

/** What the parts of this library share. */
export interface QueueContext extends QueueDependencies, Shared {
  readonly now: () => number;
}

export function queueContext<D extends Omit<QueueDependencies, 'ledger'>>(deps: D, redis: Redis): D & Shared {
  const { prefix } = deps.settings.redis;
  return {
    ...deps,
    redis,
    keys: keysOf(prefix),
    handles: queueHandles(redis, prefix, deps.logger),
    now: deps.now ?? Date.now,
  };
}

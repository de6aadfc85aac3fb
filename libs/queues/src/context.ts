import type { Redis } from 'ioredis';
import { type Keys, keysOf } from './keys.ts';
import { type QueueHandles, queueHandles } from './queue-handles.ts';
import { reserveCommon } from './reserve.ts';
import { admitScript } from './scripts/admit.ts';
import { batching } from './scripts/batch.ts';
import { type ScriptArgument, type ScriptBytes, runForBytes } from './scripts/script.ts';
import type { QueueDependencies } from './types.ts';

interface Shared {
  readonly redis: Redis;
  readonly keys: Keys;
  readonly handles: QueueHandles;
  readonly now: () => number;
  /** `admitScript`, for all admissions of one turn of the event loop together. */
  readonly reserve: (args: readonly ScriptArgument[]) => Promise<ScriptBytes>;
  /** Rebuilds of users' counters that are under way. */
  readonly rebuilding: Map<string, Promise<void>>;
}

/** What the parts of this library share. */
export interface QueueContext extends QueueDependencies, Shared {
  readonly now: () => number;
}

export function queueContext<D extends Omit<QueueDependencies, 'ledger'>>(deps: D, redis: Redis): D & Shared {
  const { prefix } = deps.settings.redis;
  const { settings, now = Date.now } = deps;
  return {
    ...deps,
    redis,
    keys: keysOf(prefix),
    handles: queueHandles(redis, prefix, deps.logger),
    now,
    rebuilding: new Map(),
    reserve: batching(runForBytes, redis, admitScript, prefix, () => reserveCommon({ settings, now })),
  };
}

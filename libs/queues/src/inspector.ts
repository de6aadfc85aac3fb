import { type QueueName, queueNames } from '@manuel/contracts';
import { connectProducer, disconnect, orUnavailable, readyOrLate } from './connections.ts';
import { queueContext } from './context.ts';
import type { QueueDependencies, QueueInspector, QueueState } from './types.ts';

/** For operators: the state of every queue, pause and resume, and BullMQ's handles for Bull Board. */
export async function createQueueInspector(deps: Omit<QueueDependencies, 'ledger'>): Promise<QueueInspector> {
  const redis = connectProducer(deps.settings, deps.logger);
  const context = queueContext(deps, redis);
  const { prefix } = context.keys;
  await readyOrLate(redis);

  async function state(name: QueueName): Promise<QueueState> {
    const key = `${prefix}:${name}`;
    const [prioritized, wait, active, delayed, failed, paused, oldest] = await Promise.all([
      redis.zcard(`${key}:prioritized`),
      redis.llen(`${key}:wait`),
      redis.llen(`${key}:active`),
      redis.zcard(`${key}:delayed`),
      redis.zcard(`${key}:failed`),
      redis.hexists(`${key}:meta`, 'paused'),
      redis.zrange(context.keys.waiting(name), '0', '0', 'WITHSCORES'),
    ]);
    const admitted = oldest[1];
    return {
      name,
      waiting: prioritized + wait,
      active,
      delayed,
      failed,
      paused: paused === 1,
      oldest_waiting_s: admitted === undefined ? 0 : Math.max(0, Math.round((context.now() - Number(admitted)) / 1000)),
    };
  }

  return {
    states: () => orUnavailable(() => Promise.all(queueNames.map(state))),
    pause: (name) => orUnavailable(() => context.handles.get(name).pause()),
    resume: (name) => orUnavailable(() => context.handles.get(name).resume()),
    queues: () => queueNames.map((name) => context.handles.get(name)),
    close: () => disconnect(redis),
  };
}

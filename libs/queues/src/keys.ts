import { queueNames } from '@manuel/contracts';

/**
 * Names of everything this library keeps in Redis beside BullMQ's own keys (`<prefix>:<queue>:...`). The prefix holds a hash
 * tag, so that one script may touch all of them on a cluster. The scripts build the same names from the prefix in Lua.
 */
export interface Keys {
  readonly prefix: string;
  /** ZSET job id -> created_at: admitted and not yet started, on one queue. */
  waiting(queue: string): string;
  /** HASH job id -> `<day>|<charged 0 or 1>|<priority>|<queue>`: the user's jobs that are not terminal. */
  open(userId: string): string;
  /**
   * HASH day and month it counts, d and m (used and reserved together: a completed job changes nothing, any other end gives one
   * back), dl and ml (overrides of the limits).
   */
  quota(userId: string): string;
  /** ZSET job id -> end of lease (ms): the user's jobs that hold a slot on one queue. */
  active(queue: string, userId: string): string;
  /** ZSET job id -> ms: ended from outside a worker (cancelled, expired by the sweeper); whoever picks one up drops it. */
  readonly ended: string;
  /** ZSET job id -> ms: has started, though Redis forgot it; until when a worker is sure to run it. */
  readonly alive: string;
  /** STRING `<first start, ms>|<tries>` of a job that runs though Redis forgot it. */
  running(userId: string, jobId: string): string;
  /** STREAM of the user's events; the end of a job lies there by name alone. */
  stream(userId: string): string;
  /** STRING the event that told a job's end, for readers, while hot. */
  view(userId: string, jobId: string): string;
  /** Pub/sub channel of the same events. */
  channel(userId: string): string;
  /** STRING `<body sha-256>|<job id>|<ms>` of an Idempotency-Key, by the id of the first job that it names. */
  idempotency(jobId: string): string;
  /** A lock that one process holds at a time. */
  lock(name: string): string;
}

export const queueList = queueNames.join(',');

export function keysOf(prefix: string): Keys {
  return {
    prefix,
    waiting: (queue) => `${prefix}:w:${queue}`,
    open: (userId) => `${prefix}:u:${userId}:open`,
    quota: (userId) => `${prefix}:u:${userId}:quota`,
    active: (queue, userId) => `${prefix}:act:${queue}:${userId}`,
    ended: `${prefix}:ended`,
    alive: `${prefix}:alive`,
    running: (userId, jobId) => `${prefix}:u:${userId}:r:${jobId}`,
    stream: (userId) => `${prefix}:ev:${userId}`,
    view: (userId, jobId) => `${prefix}:u:${userId}:v:${jobId}`,
    channel: (userId) => `${prefix}:ch:${userId}`,
    idempotency: (jobId) => `${prefix}:idem:${jobId}`,
    lock: (name) => `${prefix}:lock:${name}`,
  };
}

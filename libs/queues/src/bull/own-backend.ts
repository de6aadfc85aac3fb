import {
  type BackendFactory,
  QueueKeys,
  RedisConnection,
  RedisQueueBackend,
  createIORedisClient,
  type QueueBaseOptions,
} from 'bullmq';
import type { Redis } from 'ioredis';
import type { ScriptArgument } from '../scripts/script.ts';

/** Gets what BullMQ gives its script (keys first, then arguments) and answers what that script would. */
export type OwnCommand = (args: readonly ScriptArgument[]) => Promise<unknown>;

export interface OwnBackendOptions {
  readonly redis: Redis;
  readonly prefix: string;
  /** By the name of the script. */
  readonly own: ReadonlyMap<string, OwnCommand>;
}

/** BullMQ's Redis backend, with some of its scripts run in our way. */
class OwnBackend extends RedisQueueBackend {
  readonly #client: unknown;
  readonly #own: ReadonlyMap<string, OwnCommand>;

  constructor({ redis, prefix, own }: OwnBackendOptions, name: string, opts: QueueBaseOptions, blocking: boolean) {
    const keys = new QueueKeys(prefix);
    const { skipVersionCheck = false } = opts;
    // The name by which BullMQ finds the workers of a queue among Redis' clients.
    const connectionName = `${prefix}:${Buffer.from(name).toString('base64')}`;
    super(
      new RedisConnection(redis, { shared: true, blocking: false, skipVersionCheck }),
      name,
      keys.getKeys(name),
      (type) => keys.toKey(name, type),
      opts,
      blocking
        ? new RedisConnection(redis.duplicate({ connectionName }), { shared: false, blocking: true, skipVersionCheck })
        : undefined,
    );
    this.#client = createIORedisClient(redis);
    this.#own = own;
  }

  /** Only once the job that was just taken is on its way: a worker with free places waits for the next one before it begins. */
  override async waitForJob(blockTimeout: number): ReturnType<RedisQueueBackend['waitForJob']> {
    await new Promise((resolve) => setImmediate(resolve));
    await new Promise((resolve) => setImmediate(resolve));
    return super.waitForJob(blockTimeout);
  }

  override execCommand(...[client, name, args]: Parameters<RedisQueueBackend['execCommand']>): unknown {
    const own = this.#own.get(name);
    // In a transaction BullMQ's own script takes its place among the others.
    if (!own || client !== this.#client) return super.execCommand(client, name, args);
    return own(args.map((argument: unknown) => toArgument(argument)));
  }
}

/** As ioredis would send it. */
function toArgument(argument: unknown): ScriptArgument {
  if (typeof argument === 'string' || typeof argument === 'number' || Buffer.isBuffer(argument)) return argument;
  return argument === undefined || argument === null ? '' : String(argument);
}

/** What a queue or worker of BullMQ talks to Redis through. */
export const ownBackend =
  (options: OwnBackendOptions): BackendFactory<RedisQueueBackend> =>
  (name, opts, { withBlockingConnection = false } = {}) =>
    new OwnBackend(options, name, opts, withBlockingConnection);

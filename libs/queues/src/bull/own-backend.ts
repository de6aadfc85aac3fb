import {
  type BackendFactory,
  QueueKeys,
  RedisConnection,
  RedisQueueBackend,
  createIORedisClient,
  type QueueBaseOptions,
  raw2NextJobData,
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
  /** How to wait for a job, on the connection that is for it alone. */
  readonly waiting?: Waiting;
}

/** What BZPOPMIN answers: key, member, score; null when the time was over. */
export type Marker = [string, string, string] | null;

export interface Waiting {
  /** `wait` sends the command that waits for a marker, on `blocking`. */
  wait(blocking: Redis, wait: () => Promise<Marker>): Promise<Marker>;
  /** What `moveToActive` answered meanwhile, as Redis gives it. Given once. */
  taken(): unknown[] | undefined;
}

/** BullMQ's Redis backend, with some of its scripts run in our way. */
class OwnBackend extends RedisQueueBackend {
  readonly #client: unknown;
  readonly #waiting: Waiting | undefined;
  readonly #own: ReadonlyMap<string, OwnCommand>;
  readonly #blocking: WaitingClient | undefined;

  constructor(options: OwnBackendOptions, name: string, opts: QueueBaseOptions, blocking: boolean) {
    const { redis, prefix, own, waiting } = options;
    const keys = new QueueKeys(prefix);
    const { skipVersionCheck = false } = opts;
    // The name by which BullMQ finds the workers of a queue among Redis' clients.
    const connectionName = `${prefix}:${Buffer.from(name).toString('base64')}`;
    const client = blocking ? waitingClient(redis.duplicate({ connectionName }), waiting) : undefined;
    super(
      new RedisConnection(redis, { shared: true, blocking: false, skipVersionCheck }),
      name,
      keys.getKeys(name),
      (type) => keys.toKey(name, type),
      opts,
      client && new RedisConnection(client.redis, { shared: false, blocking: true, skipVersionCheck }),
    );
    this.#blocking = client;
    this.#client = createIORedisClient(redis);
    this.#own = own;
    this.#waiting = waiting;
  }

  override async moveToActive(token: string, name?: string): ReturnType<RedisQueueBackend['moveToActive']> {
    const taken = this.#waiting?.taken();
    return taken ? raw2NextJobData(taken) : super.moveToActive(token, name);
  }

  /** Only once the job that was just taken is on its way: a worker with free places waits for the next one before it begins. */
  override async waitForJob(blockTimeout: number): ReturnType<RedisQueueBackend['waitForJob']> {
    await new Promise((resolve) => setImmediate(resolve));
    await new Promise((resolve) => setImmediate(resolve));
    return super.waitForJob(blockTimeout);
  }

  /** ioredis tells neither of the end of a connection that waits to be made again, nor of what was sent on the one before. */
  override async disconnectBlocking(wait = true): Promise<void> {
    const away = this.#blocking?.redis.status !== 'ready';
    if (away) this.#blocking?.release();
    await super.disconnectBlocking(wait && !away);
  }

  override execCommand(...[client, name, args]: Parameters<RedisQueueBackend['execCommand']>): unknown {
    const own = this.#own.get(name);
    // In a transaction BullMQ's own script takes its place among the others.
    if (!own || client !== this.#client) return super.execCommand(client, name, args);
    return own(args.map((argument: unknown) => toArgument(argument)));
  }
}

/** The connection that waits for jobs. */
interface WaitingClient {
  readonly redis: Redis;
  /** Ends the wait as the end of the connection does. */
  release(): void;
}

/** BullMQ waits with `bzpopmin`, once at a time and with nothing else, on a client of its own. */
function waitingClient(redis: Redis, waiting: Waiting | undefined): WaitingClient {
  const bzpopmin = redis.bzpopmin.bind(redis) as (key: string, timeoutS: number) => Promise<Marker>;
  let release: (error: Error) => void = () => undefined;
  const own = (key: string, timeoutS: number): Promise<Marker> =>
    new Promise((resolve, reject) => {
      release = reject;
      const wait = (): Promise<Marker> => bzpopmin(key, timeoutS);
      (waiting ? waiting.wait(redis, wait) : wait()).then(resolve, reject);
    });
  // Safe: it is called in this way alone.
  redis.bzpopmin = own as typeof redis.bzpopmin;
  return { redis, release: () => release(new Error('Connection is closed.')) };
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

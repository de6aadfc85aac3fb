import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { freePort } from './free-port.ts';
import { waitFor } from './wait-for.ts';

export interface TestRedis {
  readonly url: string;
  close(): Promise<void>;
}

/** A Redis that a test may stop, kill and start again on the same port. */
export interface OwnRedis extends TestRedis {
  readonly port: number;
  /** Stops it, keeping its data only if it wrote any (none by default). */
  stop(signal?: 'SIGTERM' | 'SIGKILL' | 'SIGSTOP'): Promise<void>;
  /** Starts it again on the same port, empty unless `persist` was set. After SIGSTOP it is continued. */
  start(): Promise<void>;
}

export interface OwnRedisOptions {
  /** Write every command to an append-only file, so that a restart finds its data. */
  readonly persist?: boolean;
}

/** Whether a container engine answers, so that testcontainers can be used. */
function containerEngineAnswers(): boolean {
  if (process.env['MANUEL_TEST_CONTAINERS'] === 'off') return false;
  const engine = spawnSync('docker', ['info', '--format', '{{.ServerVersion}}'], { timeout: 3000, encoding: 'utf8' });
  return (engine.status === 0 && engine.stdout.trim() !== '') || process.env['MANUEL_TEST_CONTAINERS'] === 'on';
}

async function answers(url: string): Promise<boolean> {
  const client = new Redis(url, { lazyConnect: true, maxRetriesPerRequest: 0, retryStrategy: () => null });
  client.on('error', () => undefined);
  try {
    await client.connect();
    return (await client.ping()) === 'PONG';
  } catch {
    return false;
  } finally {
    client.disconnect();
  }
}

/** A redis-server process of the test's own. Throws with what to install when there is none. */
export async function startRedis(options: OwnRedisOptions = {}): Promise<OwnRedis> {
  const port = await freePort();
  const dir = await mkdtemp(join(tmpdir(), 'manuel-redis-'));
  const url = `redis://127.0.0.1:${port}`;
  let child: ChildProcess | undefined;
  let paused = false;

  const start = async (): Promise<void> => {
    if (child && paused) {
      child.kill('SIGCONT');
      paused = false;
      return;
    }
    const persistence = options.persist ? ['--appendonly', 'yes', '--appendfsync', 'always'] : ['--appendonly', 'no'];
    const fresh = spawn(
      'redis-server',
      ['--port', String(port), '--bind', '127.0.0.1', '--dir', dir, '--save', '', ...persistence],
      {
        stdio: 'ignore',
      },
    );
    const failed = new Promise<never>((_resolve, reject) => {
      fresh.once('error', (cause) => {
        reject(
          new Error('redis-server is missing: run `npm test`, which installs it, or install the package redis-server', {
            cause,
          }),
        );
      });
    });
    child = fresh;
    await Promise.race([failed, waitFor(() => answers(url), { what: `redis-server on port ${port}` })]);
  };
  const stop = async (signal: 'SIGTERM' | 'SIGKILL' | 'SIGSTOP' = 'SIGTERM'): Promise<void> => {
    const running = child;
    if (!running) return;
    if (signal === 'SIGSTOP') {
      paused = true;
      running.kill('SIGSTOP');
      return;
    }
    const gone = new Promise((resolve) => running.once('exit', resolve));
    if (paused) running.kill('SIGCONT');
    running.kill(signal);
    await gone;
    child = undefined;
    paused = false;
  };
  await start();
  return {
    url,
    port,
    start,
    stop,
    close: async () => {
      await stop('SIGKILL');
      await rm(dir, { recursive: true, force: true });
    },
  };
}

/** The one Redis of a test run: a container where an engine answers, else a redis-server process. */
export async function startRunRedis(): Promise<TestRedis> {
  if (!containerEngineAnswers()) return startRedis();
  const { GenericContainer } = await import('testcontainers');
  const container = await new GenericContainer('redis:7-alpine').withExposedPorts(6379).start();
  const url = `redis://${container.getHost()}:${container.getMappedPort(6379)}`;
  return { url, close: async () => void (await container.stop()) };
}

/**
 * The run's Redis with a key prefix of this file's own, so that files run side by side. `close` removes the file's keys.
 * Outside a run (one file started by hand without the setup) it starts a Redis for itself.
 */
export async function testRedis(): Promise<TestRedis & { readonly prefix: string }> {
  const shared = process.env['MANUEL_TEST_REDIS_URL'];
  const redis = shared ? { url: shared, close: async () => undefined } : await startRedis();
  const prefix = `{t${randomBytes(6).toString('hex')}}`;
  return {
    url: redis.url,
    prefix,
    close: async () => {
      if (shared) await removeKeys(shared, prefix);
      await redis.close();
    },
  };
}

async function removeKeys(url: string, prefix: string): Promise<void> {
  const client = new Redis(url);
  try {
    for await (const keys of client.scanStream({ match: `${prefix.replace(/[[\]*?]/g, '\\$&')}*`, count: 1000 })) {
      if ((keys as string[]).length > 0) await client.unlink(...(keys as string[]));
    }
  } finally {
    client.disconnect();
  }
}

import { mkdirSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { Child } from './child.ts';
import { ensureTools, onPath, redisTool } from './system-packages.ts';

export interface RedisAtWork {
  readonly url: string;
  /** Undefined when it is somebody else's (`REDIS_URL`). */
  readonly child: Child | undefined;
  readonly how: string;
}

/** One PING over a bare socket: no client library is needed to see whether somebody answers. */
export function pings(port: number, host = '127.0.0.1', timeoutMs = 500): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, host });
    const done = (answer: boolean): void => {
      socket.destroy();
      resolve(answer);
    };
    socket.setTimeout(timeoutMs, () => done(false));
    socket.once('error', () => done(false));
    socket.once('connect', () => socket.write('PING\r\n'));
    socket.once('data', (data) => done(!data.toString().startsWith('-LOADING')));
  });
}

/** A second of writes may be lost to a power cut; the ledger makes up for it. Nothing is ever evicted: these are queues. */
const durable = ['--appendonly', 'yes', '--appendfsync', 'everysec', '--maxmemory-policy', 'noeviction'];

function serverCommand(port: number, dir: string): readonly [string, ...string[]] {
  const where = `--port ${port} --bind 127.0.0.1`.split(' ');
  return ['redis-server', ...where, '--dir', dir, ...durable, '--save', ''];
}

function containerCommand(port: number, dir: string): readonly [string, ...string[]] | undefined {
  const engine = ['docker', 'podman'].find((name) => onPath(name));
  if (!engine) return undefined;
  const image = 'docker.io/library/redis:7-alpine';
  const where = ['-p', `127.0.0.1:${port}:6379`, '-v', `${dir}:/data`];
  return [engine, 'run', '--rm', ...where, image, 'redis-server', ...durable];
}

/**
 * A Redis with an append-only file under `localDir`: `given` when there is one; else redis-server from PATH, else from the
 * distribution's package, else in a container. Throws one clear line when there is no way.
 */
export async function ensureRedis(options: {
  given: string | undefined;
  port: number;
  localDir: string;
}): Promise<RedisAtWork> {
  if (options.given) return { url: options.given, child: undefined, how: 'REDIS_URL' };
  const dir = join(options.localDir, 'redis');
  mkdirSync(dir, { recursive: true });
  if (await pings(options.port)) {
    throw new Error(
      `Port ${options.port} is taken, perhaps by another Manuel. Stop that one, or set REDIS_PORT (or REDIS_URL to use that Redis).`,
    );
  }
  const missing = ensureTools([redisTool]);
  const command = missing.length === 0 ? serverCommand(options.port, dir) : containerCommand(options.port, dir);
  if (!command) {
    throw new Error(
      'Manuel needs Redis: install the package redis-server, start a container engine, or set REDIS_URL.',
    );
  }
  const child = new Child({ name: 'redis', command, env: {}, logFile: join(options.localDir, 'logs', 'redis.log') });
  await child.line(
    (line) => (/Ready to accept connections/.test(line) ? true : undefined),
    60_000,
    'Redis being ready',
  );
  return { url: `redis://127.0.0.1:${options.port}`, child, how: command[0] };
}

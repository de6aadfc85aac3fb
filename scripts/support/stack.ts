import { join, resolve } from 'node:path';
import { Child, root } from './child.ts';
import { ensureRedis } from './redis.ts';

export interface StackOptions {
  /** 0 takes any free port. */
  readonly port: number;
  readonly awsLocalPort: number;
  readonly redisPort: number;
  readonly localDir: string;
  readonly redisUrl?: string | undefined;
  /** Settings on top of the environment, for tests and the bench. */
  readonly env?: Readonly<Record<string, string>>;
  readonly onLine?: (text: string) => void;
}

export const workerNames = ['query-worker', 'ingest-worker', 'transcribe-worker', 'error-processor'] as const;
export type ServiceName = 'gateway' | (typeof workerNames)[number];

/**
 * Node's own flags. The ingest worker streams what it stores and leaves parsing to child processes: a small heap is enough, and
 * without these Node would let its garbage pile up as far as the machine allows.
 */
const nodeFlags: Partial<Record<ServiceName, readonly string[]>> = {
  'ingest-worker': ['--max-semi-space-size=8', '--max-old-space-size=192'],
};

export interface Stack {
  readonly url: string;
  readonly awsEndpoint: string;
  readonly redisUrl: string;
  /** What was needed to make the services find everything; scripts and tests reuse it. */
  readonly env: Readonly<Record<string, string>>;
  readonly healthPorts: ReadonlyMap<ServiceName, number>;
  readonly children: ReadonlyMap<string, Child>;
  /** Starts one more process of a service (or one again after it was killed). */
  startService(name: ServiceName, env?: Record<string, string>): Promise<Child>;
  /** Drains and stops all: gateway first, then workers, AWS, Redis. */
  stop(): Promise<void>;
}

const readyLimitMs = 60_000;

/** A JSON log line whose message is `ready`. */
function readyLine(line: string): { url?: string; health_port?: number } | undefined {
  if (!line.startsWith('{') || !line.includes('"ready"')) return undefined;
  try {
    const parsed = JSON.parse(line) as { message?: string; url?: string; health_port?: number };
    return parsed.message === 'ready' ? parsed : undefined;
  } catch {
    return undefined;
  }
}

interface AwsLocalConfig {
  region: string;
  user_pool_id: string;
  client_id: string;
  issuer: string;
  jwks_uri: string;
  manuals_bucket: string;
  audio_bucket: string;
  knowledge_base_id: string;
  data_source_id: string;
  topic_arn: string;
}

export async function awsLocalConfig(endpoint: string): Promise<AwsLocalConfig> {
  const response = await fetch(`${endpoint}/_config`, { signal: AbortSignal.timeout(5000) });
  if (!response.ok) throw new Error(`aws-local at ${endpoint} answered ${response.status} to /_config`);
  return (await response.json()) as AwsLocalConfig;
}

/** The environment by which the services find the local AWS; what the user set himself stays. */
function serviceEnvironment(endpoint: string, config: AwsLocalConfig, redisUrl: string): Record<string, string> {
  return {
    AWS_ENDPOINT_URL: endpoint,
    AWS_REGION: config.region,
    AWS_ACCESS_KEY_ID: 'local',
    AWS_SECRET_ACCESS_KEY: 'local',
    AWS_EC2_METADATA_DISABLED: 'true',
    REGION: config.region,
    COGNITO_USER_POOL_ID: config.user_pool_id,
    COGNITO_CLIENT_ID: config.client_id,
    COGNITO_ISSUER: config.issuer,
    COGNITO_JWKS_URI: config.jwks_uri,
    COGNITO_PUBLIC_ENDPOINT: endpoint,
    STORAGE_MANUALS_BUCKET: config.manuals_bucket,
    STORAGE_AUDIO_BUCKET: config.audio_bucket,
    KNOWLEDGE_BASE_ID: config.knowledge_base_id,
    KNOWLEDGE_BASE_DATA_SOURCE_ID: config.data_source_id,
    ALERTS_TOPIC_ARN: config.topic_arn,
    REDIS_URL: redisUrl,
  };
}

/** The environment of the services of a stack that runs already, for a tool that works beside them. */
export async function environmentOfRunningStack(): Promise<Record<string, string>> {
  const { awsLocalPort, redisPort, redisUrl } = stackOptionsFromEnvironment();
  const endpoint = `http://127.0.0.1:${awsLocalPort}`;
  return serviceEnvironment(endpoint, await awsLocalConfig(endpoint), redisUrl ?? `redis://127.0.0.1:${redisPort}`);
}

/** Redis, aws-local, the gateway and the four workers as separate processes; resolves when all are ready. */
export async function startStack(options: StackOptions): Promise<Stack> {
  const say = options.onLine ?? (() => undefined);
  const logs = join(options.localDir, 'logs');
  const children = new Map<string, Child>();
  const healthPorts = new Map<ServiceName, number>();
  const extra = options.env ?? {};

  const stop = async (): Promise<void> => {
    await children.get('gateway')?.stop();
    await Promise.all(
      [...children].filter(([name]) => name !== 'redis' && name !== 'aws-local').map(([, child]) => child.stop()),
    );
    await children.get('aws-local')?.stop();
    await children.get('redis')?.stop();
  };

  try {
    const redis = await ensureRedis({
      given: options.redisUrl ?? extra['REDIS_URL'],
      port: options.redisPort,
      localDir: options.localDir,
    });
    if (redis.child) children.set('redis', redis.child);
    say(`Redis       ${redis.url} (${redis.how})`);

    const aws = new Child({
      name: 'aws-local',
      command: [process.execPath, 'dev/aws-local/src/main.ts'],
      env: { AWS_LOCAL_PORT: String(options.awsLocalPort), LOCAL_DIR: options.localDir, ...extra },
      logFile: join(logs, 'aws-local.log'),
    });
    children.set('aws-local', aws);
    const awsEndpoint = await aws.line(
      (line) => /aws-local ready (http:\/\/\S+)/.exec(line)?.[1],
      readyLimitMs,
      'being ready',
    );
    say(`AWS (local) ${awsEndpoint}`);

    const env = { ...serviceEnvironment(awsEndpoint, await awsLocalConfig(awsEndpoint), redis.url), ...extra };

    const startService = async (name: ServiceName, more: Record<string, string> = {}): Promise<Child> => {
      const child = new Child({
        name,
        command: [process.execPath, ...(nodeFlags[name] ?? []), `services/${name}/src/main.ts`],
        env: { ...env, ...(name === 'gateway' ? { HTTP_PORT: String(options.port) } : {}), ...more },
        logFile: join(logs, `${name}.log`),
      });
      // A second process of a service must be stopped too.
      let key: string = name;
      while (children.get(key)?.running) key += '+';
      children.set(key, child);
      const ready = await child.line(readyLine, readyLimitMs, 'being ready');
      if (ready.health_port !== undefined) healthPorts.set(name, ready.health_port);
      if (ready.url !== undefined) url = ready.url;
      say(`${name.padEnd(18)}${ready.url ?? `health and metrics on port ${ready.health_port}`}`);
      return child;
    };
    let url = '';
    // The tables are made once, before five processes want them.
    await startService('gateway');
    await Promise.all(workerNames.map((name) => startService(name)));

    return { url, awsEndpoint, redisUrl: redis.url, env, healthPorts, children, startService, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Ports and folder as the environment gives them (api.md, Commands). */
export function stackOptionsFromEnvironment(): StackOptions {
  const port = (name: string, otherwise: number): number => {
    const text = process.env[name];
    if (text === undefined || text === '') return otherwise;
    const value = Number(text);
    if (!Number.isInteger(value) || value < 0 || value > 65_535) {
      throw new Error(`${name}: given ${JSON.stringify(text)}, allowed: a port number from 0 to 65535`);
    }
    return value;
  };
  return {
    port: port('PORT', 3000),
    awsLocalPort: port('AWS_LOCAL_PORT', 4566),
    redisPort: port('REDIS_PORT', 6380),
    localDir: resolve(root, process.env['LOCAL_DIR'] || '.local'),
    redisUrl: process.env['REDIS_URL'] || undefined,
  };
}

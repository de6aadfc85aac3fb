import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startRedis } from '@manuel/testing';
import { startProgram, startService } from './processes.ts';
import { signToken } from './tokens.ts';

const poolId = 'eu-west-1_bench';
const clientId = 'bench';

/** Redis, a DynamoDB that says yes, and our gateway with everything on but without limits that a load would meet. */
export interface BenchHouse {
  readonly redisUrl: string;
  /** For programs that are to be part of it. */
  readonly env: Readonly<Record<string, string>>;
  startGateway(
    more?: Readonly<Record<string, string>>,
  ): Promise<{ readonly url: string; readonly pid: number; stop(): Promise<void> }>;
  token(user: string): string;
  close(): Promise<void>;
}

export async function startBenchHouse(): Promise<BenchHouse> {
  const folder = await mkdtemp(join(tmpdir(), 'manuel-bench-'));
  const keyFile = join(folder, 'key.pem');
  const redis = await startRedis();
  const aws = await startProgram('bench/support/null-aws.ts', { BENCH_KEY_FILE: keyFile });
  const key = await readFile(keyFile, 'utf8');
  const issuer = `${aws.value}/${poolId}`;
  const most = '1000000000';
  const env = {
    REDIS_URL: redis.url,
    AWS_ENDPOINT_URL: aws.value,
    AWS_ACCESS_KEY_ID: 'local',
    AWS_SECRET_ACCESS_KEY: 'local',
    AWS_REGION: 'eu-west-1',
    COGNITO_USER_POOL_ID: poolId,
    COGNITO_CLIENT_ID: clientId,
    COGNITO_ISSUER: issuer,
    COGNITO_JWKS_URI: `${issuer}/.well-known/jwks.json`,
    LEDGER_CREATE_TABLES: 'false',
    HTTP_PORT: '0',
    RATE_LIMIT_REQUESTS: most,
    QUOTA_DAILY_LIMIT: most,
    QUOTA_MONTHLY_LIMIT: most,
    QUEUE_MAX_SIZE: most,
    QUEUE_MAX_PER_USER: most,
    QUEUE_MAX_ACTIVE_PER_USER: most,
    LOGS_LEVEL: 'info',
  };
  return {
    redisUrl: redis.url,
    env,
    async startGateway(more = {}) {
      const service = await startService(
        'services/gateway/src/main.ts',
        { ...env, ...more },
        join(folder, 'gateway.log'),
      );
      return { ...service, url: String(service.ready['url']) };
    },
    token: (user) => signToken(key, { issuer, clientId, sub: user }),
    async close() {
      await aws.stop();
      await redis.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

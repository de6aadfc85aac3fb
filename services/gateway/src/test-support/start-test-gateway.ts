import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type SettingsOverrides, settingsWith } from '@manuel/settings';
import { silentLogger } from '@manuel/telemetry';
import { type TestRedis, testRedis } from '@manuel/testing';
import { type AwsLocal, type AwsLocalOptions, startAwsLocal } from '../../../../dev/aws-local/src/start.ts';
import { type Gateway, type GatewayOverrides, createContext } from '../context.ts';
import { type GatewayServer, startServer } from '../entry/server.ts';

export interface TestWorld {
  readonly aws: AwsLocal;
  readonly redis: TestRedis & { readonly prefix: string };
  /** Starts a gateway in this process; closed with the world. */
  gateway(overrides?: SettingsOverrides, parts?: GatewayOverrides): Promise<TestGateway>;
  /** An access token of a local user. */
  token(email?: string): Promise<string>;
  /** Calls of an AWS service since the start, by operation. */
  calls(): Promise<Record<string, Record<string, number>>>;
  close(): Promise<void>;
}

export interface TestGateway {
  readonly gateway: Gateway;
  readonly url: string;
  readonly server: GatewayServer;
  close(): Promise<void>;
}

/** Real Redis and AWS on this machine. `environment`: the process's, where the SDK looks for the endpoint. */
export async function startTestWorld(
  environment: Record<string, string | undefined>,
  services: Pick<AwsLocalOptions, 'transcribe'> = {},
): Promise<TestWorld> {
  const dir = await mkdtemp(join(tmpdir(), 'gateway-aws-'));
  const aws = await startAwsLocal({ dir, closeGraceMs: 50, ...services });
  Object.assign(environment, {
    AWS_ENDPOINT_URL: aws.endpoint,
    AWS_ACCESS_KEY_ID: 'local',
    AWS_SECRET_ACCESS_KEY: 'local',
  });
  const redis = await testRedis();
  const open = new Set<TestGateway>();
  const tokens = new Map<string, Promise<string>>();
  const { user_pool_id = '', client_id = '', issuer = '', jwks_uri = '' } = aws.config;

  const signIn = async (email: string): Promise<string> => {
    const response = await fetch(aws.endpoint, {
      method: 'POST',
      headers: {
        'content-type': 'application/x-amz-json-1.1',
        'x-amz-target': 'AWSCognitoIdentityProviderService.InitiateAuth',
      },
      body: JSON.stringify({
        ClientId: client_id,
        AuthFlow: 'USER_PASSWORD_AUTH',
        AuthParameters: { USERNAME: email, PASSWORD: 'Manuel-demo-1' },
      }),
    });
    const answer = (await response.json()) as { AuthenticationResult: { AccessToken: string } };
    return answer.AuthenticationResult.AccessToken;
  };

  return {
    aws,
    redis,
    async gateway(overrides = {}, parts = {}) {
      const settings = settingsWith({
        ...overrides,
        redis: { url: redis.url, prefix: redis.prefix, ...overrides.redis },
        http: { port: 0, shutdown_ms: 4000, ...overrides.http },
        cognito: { user_pool_id, client_id, issuer, jwks_uri, public_endpoint: aws.endpoint, ...overrides.cognito },
        rate_limit: { requests: 100_000, ...overrides.rate_limit },
        retry: { s3: { max_retries: 0 }, dynamodb: { max_retries: 0 }, ...overrides.retry },
      });
      const gateway = await createContext(settings, {
        ...(environment['SHOW_LOGS'] ? {} : { logger: silentLogger() }),
        ...parts,
      });
      await gateway.ledger.createTables();
      const server = await startServer(gateway);
      const started: TestGateway = {
        gateway,
        server,
        url: server.url,
        async close() {
          open.delete(started);
          await server.close();
          await gateway.close();
        },
      };
      open.add(started);
      return started;
    },
    token(email = 'demo@example.com') {
      const known = tokens.get(email) ?? signIn(email);
      tokens.set(email, known);
      return known;
    },
    async calls() {
      const response = await fetch(`${aws.endpoint}/_calls`);
      return (await response.json()) as Record<string, Record<string, number>>;
    },
    async close() {
      await Promise.all([...open].map((started) => started.close()));
      await redis.close();
      await aws.close();
      await rm(dir, { recursive: true, force: true });
    },
  };
}

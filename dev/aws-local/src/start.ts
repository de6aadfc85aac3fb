import { mkdir, writeFile } from 'node:fs/promises';
import { once } from 'node:events';
import type { Server } from 'node:http';
import { join } from 'node:path';
import { CallCounter } from './calls.ts';
import { Chaos } from './chaos.ts';
import { createKnowledgeBase } from './knowledge-base/index.ts';
import { createAwsServer } from './server.ts';
import type { Application } from './server.ts';
import type { AwsService, AwsServiceName, AwsServiceOptions } from './service.ts';
import { createBedrockAgent } from './services/bedrock-agent.ts';
import { createBedrockAgentRuntime } from './services/bedrock-agent-runtime.ts';
import { createCognito } from './services/cognito.ts';
import type { LocalUser } from './services/cognito.ts';
import { createDynamoDb } from './services/dynamodb.ts';
import { createS3 } from './services/s3.ts';
import { createSns } from './services/sns.ts';

const accountId = '000000000000';
const closeGraceMs = 2000;
const password = 'Manuel-demo-1';

const localUsers: readonly LocalUser[] = [
  { email: 'demo@example.com', password, groups: [] },
  { email: 'other@example.com', password, groups: [] },
  { email: 'ops@example.com', password, groups: ['ops'] },
  { email: 'viewer@example.com', password, groups: ['ops-viewer'] },
];

export interface AwsLocalOptions {
  /** Where everything is kept; made when absent. One process at a time. */
  readonly dir: string;
  /** 0, the default, takes any free port. */
  readonly port?: number;
  readonly host?: string;
  readonly region?: string;
  /** What tokens name as issuer, before `/<pool id>`; the endpoint unless set. */
  readonly issuerBase?: string;
  /** With these S3 links are signed; `local` and `local` unless set. */
  readonly credentials?: { readonly accessKeyId: string; readonly secretAccessKey: string };
  /** How often DynamoDB deletes expired items. */
  readonly sweepEveryMs?: number;
  log?(message: string, fields?: Record<string, unknown>): void;
}

export interface AwsLocal {
  /** What `AWS_ENDPOINT_URL` has to be. */
  readonly endpoint: string;
  readonly port: number;
  /** What `GET /_config` answers. */
  readonly config: Readonly<Record<string, string>>;
  /** Lets running requests end for two seconds, cuts the rest and flushes to disk. */
  close(): Promise<void>;
}

interface Parts extends Application {
  readonly controls: Application['controls'];
  close(): Promise<void>;
}

/** Starts all services on one port; resolves when they answer. */
export async function startAwsLocal(options: AwsLocalOptions): Promise<AwsLocal> {
  const host = options.host ?? '127.0.0.1';
  const parts = Promise.withResolvers<Parts>();
  const server = createAwsServer(parts.promise);
  const port = await listen(server, options.port ?? 0, host);
  const endpoint = `http://${host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host}:${port}`;
  try {
    parts.resolve(await createParts(options, endpoint));
  } catch (error) {
    parts.reject(error);
    await closeServer(server);
    throw error;
  }
  const { controls, close } = await parts.promise;
  return {
    endpoint,
    port,
    config: controls.config,
    async close() {
      await closeServer(server);
      await close();
    },
  };
}

async function createParts(options: AwsLocalOptions, endpoint: string): Promise<Parts> {
  const region = options.region ?? 'eu-west-1';
  const log = options.log ?? (() => undefined);
  const ids = {
    user_pool_id: `${region}_manuel`,
    client_id: '1manuel2local3client4web56',
    manuals_bucket: 'manuel-manuals',
    audio_bucket: 'manuel-audio',
  };
  const issuer = `${options.issuerBase ?? endpoint}/${ids.user_pool_id}`;
  const dataDir = (name: string): Promise<string> => makeDir(join(options.dir, name));

  const s3 = await createS3({
    dataDir: await dataDir('s3'),
    region,
    buckets: [ids.manuals_bucket, ids.audio_bucket],
    credentials: options.credentials ?? { accessKeyId: 'local', secretAccessKey: 'local' },
  });
  const { readObject, listObjects, writeObject } = s3;
  const optionsOf = async (name: AwsServiceName): Promise<AwsServiceOptions> => ({
    dataDir: await dataDir(name),
    region,
    accountId,
    endpoint,
    readObject,
    listObjects,
    writeObject,
    log: (message, fields) => log(message, { service: name, ...fields }),
  });
  const [dynamoDb, sns, cognito, knowledgeBase] = await Promise.all([
    optionsOf('dynamodb').then((base) =>
      createDynamoDb({
        ...base,
        ...(options.sweepEveryMs === undefined ? {} : { sweepEveryMs: options.sweepEveryMs }),
      }),
    ),
    optionsOf('sns').then(createSns),
    optionsOf('cognito-idp').then((base) =>
      createCognito({ ...base, issuer, userPoolId: ids.user_pool_id, clientId: ids.client_id, users: localUsers }),
    ),
    optionsOf('bedrock-agent').then((base) => createKnowledgeBase({ ...base, bucket: ids.manuals_bucket })),
  ]);
  const services: readonly AwsService[] = [
    s3,
    dynamoDb,
    sns,
    cognito,
    await createBedrockAgent({ ...(await optionsOf('bedrock-agent')), knowledgeBase }),
    await createBedrockAgentRuntime({ ...(await optionsOf('bedrock-agent-runtime')), knowledgeBase }),
  ];
  const config = {
    region,
    account_id: accountId,
    ...ids,
    issuer,
    jwks_uri: `${endpoint}/${ids.user_pool_id}/.well-known/jwks.json`,
    knowledge_base_id: knowledgeBase.knowledgeBaseId,
    data_source_id: knowledgeBase.dataSourceId,
    topic_arn: await sns.topics.create('manuel-alerts'),
  };
  await writeFile(
    join(options.dir, 'cognito.json'),
    JSON.stringify({ ...ids, issuer, jwks_uri: config.jwks_uri }, null, 2),
  );
  return {
    services: new Map(services.map((service) => [service.name, service])),
    controls: {
      chaos: new Chaos(),
      calls: new CallCounter(),
      messages: { list: () => sns.topics.messages(), clear: () => sns.topics.clearMessages() },
      config,
    },
    log,
    async close() {
      await knowledgeBase.close();
      for (const service of services) await service.close();
    },
  };
}

async function makeDir(path: string): Promise<string> {
  await mkdir(path, { recursive: true });
  return path;
}

async function listen(server: Server, port: number, host: string): Promise<number> {
  server.listen(port, host);
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the server has no port');
  return address.port;
}

async function closeServer(server: Server): Promise<void> {
  const closed = once(server, 'close');
  server.close();
  server.closeIdleConnections();
  const timer = setTimeout(() => server.closeAllConnections(), closeGraceMs);
  await closed;
  clearTimeout(timer);
}

import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createKnowledgeBase } from './knowledge-base/index.ts';
import { audioBucket, manualsBucket } from './manuel-buckets.ts';
import type { AwsLocalOptions } from './options.ts';
import type { AwsService, AwsServiceName, AwsServiceOptions } from './service.ts';
import { createBedrockAgent } from './services/bedrock-agent.ts';
import { createBedrockAgentRuntime } from './services/bedrock-agent-runtime.ts';
import { createBedrockRuntime } from './services/bedrock-runtime.ts';
import { createCognito } from './services/cognito.ts';
import type { LocalUser } from './services/cognito.ts';
import { createDynamoDb } from './services/dynamodb.ts';
import { createS3 } from './services/s3.ts';
import { createSns } from './services/sns.ts';
import { createTranscribe } from './services/transcribe.ts';
import type { Topics } from './sns/topics.ts';

const accountId = '000000000000';
const password = 'Manuel-demo-1';
const localUsers: readonly LocalUser[] = [
  { email: 'demo@example.com', password, groups: [] },
  { email: 'other@example.com', password, groups: [] },
  { email: 'ops@example.com', password, groups: ['ops'] },
  { email: 'viewer@example.com', password, groups: ['ops-viewer'] },
];

export interface LocalServices {
  readonly services: readonly AwsService[];
  /** What `GET /_config` answers. */
  readonly config: Readonly<Record<string, string>>;
  readonly topics: Topics;
  /** Flushes everything to disk. */
  close(): Promise<void>;
}

/** Makes all services, each with its own folder under `options.dir`, and what Manuel expects to find in them. */
export async function createServices(options: AwsLocalOptions, endpoint: string): Promise<LocalServices> {
  const region = options.region ?? 'eu-west-1';
  const ids = {
    user_pool_id: `${region}_manuel`,
    client_id: '1manuel2local3client4web56',
    manuals_bucket: manualsBucket.name,
    audio_bucket: audioBucket.name,
  };
  const issuer = `${options.issuerBase ?? endpoint}/${ids.user_pool_id}`;
  const s3 = await createS3({
    dataDir: await makeDir(options.dir, 's3'),
    region,
    buckets: [manualsBucket, audioBucket],
    credentials: options.credentials ?? { accessKeyId: 'local', secretAccessKey: 'local' },
    ...(options.sweepEveryMs === undefined ? {} : { sweepEveryMs: options.sweepEveryMs }),
    ...(options.now ? { now: options.now } : {}),
    log: (message, fields) => options.log?.(message, { aws_service: 's3', ...fields }),
  });
  const { readObject, listObjects, writeObject } = s3;
  const base = async (name: AwsServiceName): Promise<AwsServiceOptions> => ({
    dataDir: await makeDir(options.dir, name),
    region,
    accountId,
    endpoint,
    readObject,
    listObjects,
    writeObject,
    log: (message, fields) => options.log?.(message, { aws_service: name, ...fields }),
  });
  const { sweepEveryMs } = options;
  const [dynamoDb, sns, cognito, knowledgeBase, bedrockRuntime, transcribe] = await Promise.all([
    base('dynamodb').then((own) => createDynamoDb({ ...own, ...(sweepEveryMs === undefined ? {} : { sweepEveryMs }) })),
    base('sns').then(createSns),
    base('cognito-idp').then((own) =>
      createCognito({ ...own, issuer, userPoolId: ids.user_pool_id, clientId: ids.client_id, users: localUsers }),
    ),
    base('bedrock-agent').then((own) =>
      createKnowledgeBase({ bucket: ids.manuals_bucket, prefix: 'manuals/', ...options.knowledgeBase, ...own }),
    ),
    base('bedrock-runtime').then((own) => createBedrockRuntime({ ...options.bedrockRuntime, ...own })),
    base('transcribe').then((own) => createTranscribe({ ...options.transcribe, ...own })),
  ]);
  const services: readonly AwsService[] = [
    s3,
    dynamoDb,
    sns,
    cognito,
    transcribe,
    bedrockRuntime,
    await createBedrockAgent({ ...(await base('bedrock-agent')), knowledgeBase }),
    await createBedrockAgentRuntime({ ...(await base('bedrock-agent-runtime')), knowledgeBase }),
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
  await writeFile(join(options.dir, 'config.json'), `${JSON.stringify(config, null, 2)}\n`);
  return {
    services,
    config,
    topics: sns.topics,
    async close() {
      await knowledgeBase.close();
      for (const service of services) await service.close();
    },
  };
}

async function makeDir(...parts: string[]): Promise<string> {
  const path = join(...parts);
  await mkdir(path, { recursive: true });
  return path;
}

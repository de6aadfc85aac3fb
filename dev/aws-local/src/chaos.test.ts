import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { ListKnowledgeBasesCommand, BedrockAgentClient } from '@aws-sdk/client-bedrock-agent';
import { BedrockAgentRuntimeClient, RetrieveCommand } from '@aws-sdk/client-bedrock-agent-runtime';
import { BedrockRuntimeClient, ConverseCommand, ConverseStreamCommand } from '@aws-sdk/client-bedrock-runtime';
import { CognitoIdentityProviderClient, InitiateAuthCommand } from '@aws-sdk/client-cognito-identity-provider';
import { DynamoDBClient, ListTablesCommand } from '@aws-sdk/client-dynamodb';
import { GetObjectCommand, ListBucketsCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { ListTopicsCommand, SNSClient } from '@aws-sdk/client-sns';
import { ListTranscriptionJobsCommand, TranscribeClient } from '@aws-sdk/client-transcribe';
import { refusal, startTestAws } from './testing/local-aws.ts';
import type { TestAws } from './testing/local-aws.ts';

interface Subject {
  /** One call that succeeds as long as there is no fault. */
  call(signal?: AbortSignal): Promise<unknown>;
  readonly operation: string;
  readonly throttle: { name: string; status: number };
  readonly error: { name: string; status: number };
}

let aws: TestAws;
let subjects: Record<string, Subject>;
const closers: (() => void)[] = [];
const open = <C extends { destroy(): void }>(client: C): C => {
  closers.push(() => client.destroy());
  return client;
};
const question = {
  modelId: 'anthropic.claude-3-5-sonnet-20241022-v2:0',
  messages: [{ role: 'user' as const, content: [{ text: 'Hello?' }] }],
};

beforeAll(async () => {
  aws = await startTestAws();
  const s3 = open(new S3Client(aws.client));
  const db = open(new DynamoDBClient(aws.client));
  const sns = open(new SNSClient(aws.client));
  const cognito = open(new CognitoIdentityProviderClient(aws.client));
  const transcribe = open(new TranscribeClient(aws.client));
  const runtime = open(new BedrockRuntimeClient(aws.client));
  const agent = open(new BedrockAgentClient(aws.client));
  const agentRuntime = open(new BedrockAgentRuntimeClient(aws.client));
  const { client_id: ClientId = '', knowledge_base_id: knowledgeBaseId = '' } = aws.config;
  const AuthParameters = { USERNAME: 'demo@example.com', PASSWORD: 'Manuel-demo-1' };
  const until = (signal: AbortSignal | undefined) => (signal ? { abortSignal: signal } : {});
  const bedrock = {
    throttle: { name: 'ThrottlingException', status: 429 },
    error: { name: 'InternalServerException', status: 500 },
  };
  subjects = {
    s3: {
      operation: 'ListBuckets',
      call: (signal) => s3.send(new ListBucketsCommand({}), until(signal)),
      throttle: { name: 'SlowDown', status: 503 },
      error: { name: 'InternalError', status: 500 },
    },
    dynamodb: {
      operation: 'ListTables',
      call: (signal) => db.send(new ListTablesCommand({}), until(signal)),
      throttle: { name: 'ProvisionedThroughputExceededException', status: 400 },
      error: { name: 'InternalServerError', status: 500 },
    },
    sns: {
      operation: 'ListTopics',
      call: (signal) => sns.send(new ListTopicsCommand({}), until(signal)),
      throttle: { name: 'Throttling', status: 400 },
      error: { name: 'InternalErrorException', status: 500 },
    },
    'cognito-idp': {
      operation: 'InitiateAuth',
      call: (signal) =>
        cognito.send(
          new InitiateAuthCommand({ AuthFlow: 'USER_PASSWORD_AUTH', ClientId, AuthParameters }),
          until(signal),
        ),
      throttle: { name: 'TooManyRequestsException', status: 400 },
      error: { name: 'InternalErrorException', status: 500 },
    },
    transcribe: {
      operation: 'ListTranscriptionJobs',
      call: (signal) => transcribe.send(new ListTranscriptionJobsCommand({}), until(signal)),
      throttle: { name: 'LimitExceededException', status: 400 },
      error: { name: 'InternalFailureException', status: 500 },
    },
    'bedrock-runtime': {
      operation: 'Converse',
      call: (signal) => runtime.send(new ConverseCommand(question), until(signal)),
      ...bedrock,
    },
    'bedrock-agent': {
      operation: 'ListKnowledgeBases',
      call: (signal) => agent.send(new ListKnowledgeBasesCommand({}), until(signal)),
      ...bedrock,
    },
    'bedrock-agent-runtime': {
      operation: 'Retrieve',
      call: (signal) =>
        agentRuntime.send(new RetrieveCommand({ knowledgeBaseId, retrievalQuery: { text: 'x' } }), until(signal)),
      ...bedrock,
    },
  };
});
afterEach(() => aws.control('DELETE', '/_chaos'));
afterAll(async () => {
  for (const close of closers) close();
  await aws.close();
});

const serviceNames = [
  's3',
  'dynamodb',
  'sns',
  'cognito-idp',
  'transcribe',
  'bedrock-runtime',
  'bedrock-agent',
  'bedrock-agent-runtime',
];
const subjectOf = (service: string): Subject => {
  const subject = subjects[service];
  if (!subject) throw new Error(`no subject for ${service}`);
  return subject;
};

test.each(serviceNames)('%s meets every kind of fault in its own protocol', async (service) => {
  const { call, operation, throttle, error } = subjectOf(service);
  await call();
  await aws.control('DELETE', '/_calls');

  for (const fault of ['throttle', 'error'] as const) {
    await aws.control('POST', '/_chaos', { service, fault, count: 1 });
    expect(await refusal(call())).toMatchObject(fault === 'throttle' ? throttle : error);
    await call();
  }

  await aws.control('POST', '/_chaos', { service, operation, fault: 'reset', count: 1 });
  expect((await refusal(call())).message).toMatch(/ECONNRESET|socket hang up|did not get a response/);

  await aws.control('POST', '/_chaos', { service, operation, fault: 'timeout', count: 1 });
  expect(await refusal(call(AbortSignal.timeout(100)))).toMatchObject({ name: 'AbortError' });

  await aws.control('POST', '/_chaos', { service, operation, fault: 'latency', latency_ms: 80, count: 1 });
  const start = performance.now();
  await call();
  expect(performance.now() - start).toBeGreaterThanOrEqual(79);

  expect(await aws.control('GET', '/_calls')).toEqual({ [service]: { [operation]: 7 } });
});

test('a fault keeps to its service, operation and share of the calls', async () => {
  const { call } = subjectOf('s3');
  await aws.control('POST', '/_chaos', { service: 's3', operation: 'GetObject', fault: 'error' });
  await aws.control('POST', '/_chaos', { service: 'dynamodb', fault: 'error' });
  await aws.control('POST', '/_chaos', { service: 's3', fault: 'error', rate: 0 });
  await call();
  await aws.control('DELETE', '/_chaos');
  await aws.control('POST', '/_chaos', { service: 's3', fault: 'error', rate: 0.5 });
  const outcomes = await Promise.allSettled(Array.from({ length: 100 }, () => call()));
  const failed = outcomes.filter(({ status }) => status === 'rejected').length;
  expect(failed).toBeGreaterThan(20);
  expect(failed).toBeLessThan(80);
});

test('faults are listed with what they did, and taken back one by one', async () => {
  const id: unknown = Reflect.get(
    Object(await aws.control('POST', '/_chaos', { service: 's3', fault: 'throttle' })),
    'id',
  );
  await aws.control('POST', '/_chaos', { service: 'sns', fault: 'error', rate: 0.1, count: 3, latency_ms: 5 });
  await refusal(subjectOf('s3').call());
  expect(await aws.control('GET', '/_chaos')).toEqual([
    { id, service: 's3', fault: 'throttle', rate: 1, fired: 1 },
    { id: expect.any(String), service: 'sns', fault: 'error', rate: 0.1, count: 3, latency_ms: 5, fired: 0 },
  ]);
  await aws.control('DELETE', `/_chaos/${String(id)}`);
  await subjectOf('s3').call();
  await expect(aws.control('DELETE', `/_chaos/${String(id)}`)).rejects.toThrow('404');
});

test.each([
  ['nothing', undefined],
  ['a list', []],
  ['no service', { fault: 'error' }],
  ['an unknown service', { service: 'ec2', fault: 'error' }],
  ['an unknown fault', { service: 's3', fault: 'explode' }],
  ['a rate above 1', { service: 's3', fault: 'error', rate: 2 }],
  ['a rate that is no number', { service: 's3', fault: 'error', rate: 'all' }],
  ['a count of 0', { service: 's3', fault: 'error', count: 0 }],
  ['a negative latency', { service: 's3', fault: 'latency', latency_ms: -1 }],
  ['an unknown field', { service: 's3', fault: 'error', chance: 1 }],
])('a fault with %s is refused', async (_what, body) => {
  const response = await fetch(`${aws.endpoint}/_chaos`, { method: 'POST', body: JSON.stringify(body) ?? '' });
  expect([response.status, await response.json()]).toEqual([400, { message: expect.any(String) }]);
  expect(await aws.control('GET', '/_chaos')).toEqual([]);
});

test('an upload meets a fault without its body being lost for the next request', async () => {
  const s3 = open(new S3Client(aws.client));
  await aws.control('POST', '/_chaos', { service: 's3', operation: 'PutObject', fault: 'throttle', count: 1 });
  const put = (Body: string) => s3.send(new PutObjectCommand({ Bucket: 'manuel-audio', Key: 'a', Body }));
  expect(await refusal(put('x'.repeat(3_000_000)))).toMatchObject({ name: 'SlowDown' });
  await put('second');
  const { Body } = await s3.send(new GetObjectCommand({ Bucket: 'manuel-audio', Key: 'a' }));
  expect(await Body?.transformToString()).toBe('second');
});

async function readStream(): Promise<{ events: number; failure: string | undefined }> {
  const runtime = open(new BedrockRuntimeClient(aws.client));
  let events = 0;
  try {
    const { stream } = await runtime.send(new ConverseStreamCommand(question));
    for await (const _event of stream ?? []) events++;
  } catch (error) {
    return { events, failure: error instanceof Error ? error.name : String(error) };
  }
  return { events, failure: undefined };
}

test('a stream breaks off in the middle', async () => {
  const whole = await readStream();
  expect(whole).toEqual({ events: expect.any(Number), failure: undefined });
  expect(whole.events).toBeGreaterThan(3);

  const broken = async (fault: string) => {
    await aws.control('POST', '/_chaos', {
      service: 'bedrock-runtime',
      operation: 'ConverseStream',
      fault,
      after_events: 2,
      count: 1,
    });
    return readStream();
  };
  expect(await broken('throttle')).toEqual({ events: 2, failure: 'ThrottlingException' });
  expect(await broken('error')).toEqual({ events: 2, failure: 'InternalServerException' });
  expect(await broken('reset')).toEqual({ events: 2, failure: expect.any(String) });
});

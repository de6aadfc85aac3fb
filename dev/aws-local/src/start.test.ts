import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  CognitoIdentityProviderClient,
  GetUserCommand,
  InitiateAuthCommand,
  SignUpCommand,
} from '@aws-sdk/client-cognito-identity-provider';
import {
  CreateTableCommand,
  DescribeTimeToLiveCommand,
  DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
  UpdateTimeToLiveCommand,
} from '@aws-sdk/client-dynamodb';
import { GetObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { CreateTopicCommand, ListTopicsCommand, SNSClient } from '@aws-sdk/client-sns';
import { startTestAws } from './testing/local-aws.ts';

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'aws-local-start-'));
});
afterEach(() => rm(dir, { recursive: true }));

test('everything survives a restart, tokens included', async () => {
  const Bucket = 'manuel-manuals';
  const TableName = 'kept';
  const Key = { pk: { S: 'a' } };
  const AuthParameters = { USERNAME: 'new@example.com', PASSWORD: 'Correct-horse-1' };

  const before = await startTestAws({ dir });
  const { client_id: ClientId = '' } = before.config;
  await new S3Client(before.client).send(
    new PutObjectCommand({ Bucket, Key: 'a/b', Body: 'text', Metadata: { m: '1' } }),
  );
  const db = new DynamoDBClient(before.client);
  await db.send(
    new CreateTableCommand({
      TableName,
      BillingMode: 'PAY_PER_REQUEST',
      AttributeDefinitions: [{ AttributeName: 'pk', AttributeType: 'S' }],
      KeySchema: [{ AttributeName: 'pk', KeyType: 'HASH' }],
    }),
  );
  await db.send(new PutItemCommand({ TableName, Item: { ...Key, v: { N: '1' } } }));
  await db.send(
    new UpdateTimeToLiveCommand({ TableName, TimeToLiveSpecification: { Enabled: true, AttributeName: 'ttl' } }),
  );
  const cognito = new CognitoIdentityProviderClient(before.client);
  const { UserSub } = await cognito.send(
    new SignUpCommand({ ClientId, Username: AuthParameters.USERNAME, Password: AuthParameters.PASSWORD }),
  );
  const signIn = new InitiateAuthCommand({ AuthFlow: 'USER_PASSWORD_AUTH', ClientId, AuthParameters });
  const { AuthenticationResult } = await cognito.send(signIn);
  const { TopicArn } = await new SNSClient(before.client).send(new CreateTopicCommand({ Name: 'kept' }));
  await before.close();

  // A token names the address it was issued at, so the port has to be the same.
  const after = await startTestAws({ dir, port: before.port });
  try {
    const { Body, Metadata } = await new S3Client(after.client).send(new GetObjectCommand({ Bucket, Key: 'a/b' }));
    expect([await Body?.transformToString(), Metadata]).toEqual(['text', { m: '1' }]);
    const again = new DynamoDBClient(after.client);
    expect((await again.send(new GetItemCommand({ TableName, Key }))).Item).toEqual({ ...Key, v: { N: '1' } });
    const { TimeToLiveDescription } = await again.send(new DescribeTimeToLiveCommand({ TableName }));
    expect(TimeToLiveDescription).toEqual({ TimeToLiveStatus: 'ENABLED', AttributeName: 'ttl' });
    const { AccessToken } = AuthenticationResult ?? {};
    const user = await new CognitoIdentityProviderClient(after.client).send(new GetUserCommand({ AccessToken }));
    expect(user.Username).toBe(UserSub);
    const { Topics } = await new SNSClient(after.client).send(new ListTopicsCommand({}));
    expect(Topics).toContainEqual({ TopicArn });
    expect(after.config).toEqual(before.config);
    expect(await after.control('GET', '/_config')).toEqual(after.config);
  } finally {
    await after.close();
  }
});

test('closing does not wait for a client that is being kept waiting', async () => {
  const aws = await startTestAws({ dir, closeGraceMs: 50 });
  await aws.control('POST', '/_chaos', { service: 's3', fault: 'timeout' });
  const call = new S3Client(aws.client).send(new GetObjectCommand({ Bucket: 'manuel-audio', Key: 'a' }));
  const outcome = call.catch((error: unknown) => error);
  while (!JSON.stringify(await aws.control('GET', '/_calls')).includes('GetObject'));
  await aws.close();
  expect(await outcome).toBeInstanceOf(Error);
});

test('requests that nobody signed, or for services that are not here, are refused', async () => {
  const aws = await startTestAws({ dir });
  const get = async (path: string, headers: Record<string, string> = {}) => {
    const response = await fetch(`${aws.endpoint}${path}`, { headers });
    return [response.status, await response.text()] as const;
  };
  try {
    expect(await get('/livez')).toEqual([200, '{"status":"ok"}']);
    expect(await get('/readyz')).toEqual([200, '{"status":"ok"}']);
    expect(await get('/manuel-manuals/a')).toEqual([403, expect.stringContaining('<Code>AccessDenied</Code>')]);
    expect(await get('/', { 'x-amz-target': 'DynamoDB_20120810.ListTables' })).toEqual([
      403,
      expect.stringContaining('MissingAuthenticationTokenException'),
    ]);
    const scope = (name: string) =>
      `AWS4-HMAC-SHA256 Credential=local/20260101/eu-west-1/${name}/aws4_request, SignedHeaders=host, Signature=0`;
    expect(await get('/', { authorization: scope('ec2') })).toEqual([
      404,
      expect.stringContaining('does not serve ec2'),
    ]);
    expect(await get('/%zz/a', { authorization: scope('s3') })).toEqual([
      400,
      expect.stringContaining('<Code>InvalidURI</Code>'),
    ]);
    expect(await get('/nothing', { authorization: scope('bedrock') })).toEqual([
      404,
      expect.stringContaining('GET /nothing'),
    ]);
    expect(await get('/_nothing')).toEqual([404, expect.stringContaining('/_chaos')]);
  } finally {
    await aws.close();
  }
});

/** Runs the process; answers what it printed and how it ended after `SIGTERM`, sent when it is ready. */
async function runProcess(environment: Record<string, string>): Promise<{ out: string; err: string; code: unknown }> {
  const child = spawn(process.execPath, [join(import.meta.dirname, 'main.ts')], {
    env: { ...environment, LOCAL_DIR: dir, AWS_LOCAL_PORT: '0', ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let out = '';
  let err = '';
  child.stdout.on('data', (chunk: Buffer) => {
    out += chunk.toString();
    child.kill('SIGTERM');
  });
  child.stderr.on('data', (chunk: Buffer) => (err += chunk.toString()));
  const [code] = await once(child, 'close');
  return { out, err, code };
}

test('as a process it says when it is ready and stops cleanly on SIGTERM', async () => {
  const { out, err, code } = await runProcess({});
  expect(out).toMatch(/^aws-local ready http:\/\/127\.0\.0\.1:\d+\n$/);
  expect([err, code]).toEqual(['', 0]);
});

test('a wrong setting, or a folder that is in use, is said in one line', async () => {
  expect(await runProcess({ AWS_LOCAL_PORT: 'http' })).toMatchObject({
    err: 'aws-local: AWS_LOCAL_PORT is http, but must be a port from 0 to 65535\n',
    code: 1,
  });
  const aws = await startTestAws({ dir: join(dir, 'aws') });
  try {
    const { err, code } = await runProcess({});
    expect([err.split('\n').length, code]).toEqual([2, 1]);
    expect(err).toContain('is another aws-local running on the same LOCAL_DIR?');
  } finally {
    await aws.close();
  }
});

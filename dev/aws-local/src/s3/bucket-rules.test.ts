import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  CreateBucketCommand,
  DeleteBucketEncryptionCommand,
  DeleteBucketLifecycleCommand,
  GetBucketEncryptionCommand,
  GetBucketLifecycleConfigurationCommand,
  HeadObjectCommand,
  type LifecycleRule,
  PutBucketEncryptionCommand,
  PutBucketLifecycleConfigurationCommand,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import { refusal, startTestAws, type TestAws } from '../testing/local-aws.ts';
import { expiryOf } from './lifecycle.ts';

const Bucket = 'rules';
const day = 86_400_000;
let ahead = 0;
let aws: TestAws;
let s3: S3Client;
beforeAll(async () => {
  aws = await startTestAws({ sweepEveryMs: 10, now: () => Date.now() + ahead });
  s3 = new S3Client(aws.client);
  await s3.send(new CreateBucketCommand({ Bucket }));
});
afterAll(async () => {
  s3.destroy();
  await aws.close();
});

const put = (bucket: string, Key: string) => s3.send(new PutObjectCommand({ Bucket: bucket, Key, Body: 'x' }));
const setRules = (...Rules: LifecycleRule[]) =>
  s3.send(new PutBucketLifecycleConfigurationCommand({ Bucket, LifecycleConfiguration: { Rules } }));
const isThere = (bucket: string, Key: string): Promise<boolean> =>
  s3.send(new HeadObjectCommand({ Bucket: bucket, Key })).then(
    () => true,
    (error: Error) => (error.name === 'NotFound' ? false : Promise.reject(error)),
  );
async function waitUntilGone(bucket: string, Key: string): Promise<void> {
  while (await isThere(bucket, Key)) await sleep(5);
}

test('a lifecycle comes back as it was put, and is refused where S3 refuses it', async () => {
  const name = 'NoSuchLifecycleConfiguration';
  expect(await refusal(s3.send(new GetBucketLifecycleConfigurationCommand({ Bucket })))).toMatchObject({ name });
  const rules: LifecycleRule[] = [
    { ID: 'a', Status: 'Enabled', Filter: { Prefix: 'tmp/' }, Expiration: { Days: 3 } },
    { ID: 'b', Status: 'Disabled', Filter: { Prefix: '' }, AbortIncompleteMultipartUpload: { DaysAfterInitiation: 2 } },
  ];
  await setRules(...rules);
  expect((await s3.send(new GetBucketLifecycleConfigurationCommand({ Bucket }))).Rules).toEqual(rules);
  const [rule = {} as LifecycleRule] = rules;
  expect(await refusal(setRules({ ...rule, Expiration: { Days: 0 } }))).toMatchObject({ name: 'InvalidArgument' });
  expect(await refusal(setRules(rule, rule))).toMatchObject({ name: 'InvalidArgument' });
  expect(await refusal(setRules({ Status: 'Enabled', Filter: {} }))).toMatchObject({ name: 'InvalidRequest' });
  expect(await refusal(setRules({ ...rule, Transitions: [{ Days: 1, StorageClass: 'GLACIER' }] }))).toMatchObject({
    name: 'NotImplemented',
  });
  await s3.send(new DeleteBucketLifecycleCommand({ Bucket }));
  expect(await refusal(s3.send(new GetBucketLifecycleConfigurationCommand({ Bucket })))).toMatchObject({ name });
});

test('objects go at the first midnight after their days, and only those of an enabled rule’s prefix', async () => {
  await setRules(
    { ID: 'go', Status: 'Enabled', Filter: { Prefix: 'tmp/' }, Expiration: { Days: 2 } },
    { ID: 'early', Status: 'Enabled', Filter: { Prefix: 'early/' }, Expiration: { Days: 1 } },
    { ID: 'off', Status: 'Disabled', Filter: { Prefix: '' }, Expiration: { Days: 1 } },
  );
  const { Expiration } = await put(Bucket, 'tmp/x');
  expect(Expiration).toContain('rule-id="go"');
  expect((await s3.send(new HeadObjectCommand({ Bucket, Key: 'tmp/x' }))).Expiration).toBe(Expiration);
  await put(Bucket, 'kept');
  await put(Bucket, 'early/x');
  const at = Date.parse(/expiry-date="([^"]+)"/.exec(Expiration ?? '')?.[1] ?? '');
  expect(at % day).toBe(0);
  ahead = at - Date.now() - 60_000;
  await waitUntilGone(Bucket, 'early/x');
  expect(await isThere(Bucket, 'tmp/x')).toBe(true);
  ahead = at - Date.now();
  await waitUntilGone(Bucket, 'tmp/x');
  expect(await isThere(Bucket, 'kept')).toBe(true);
  ahead = 0;
});

test('days are counted from the last change and rounded up to midnight', () => {
  const rules = [{ id: 'r', prefix: 'a', enabled: true, expireDays: 3 }];
  const expiry = expiryOf(rules, { key: 'a', lastModified: '2014-01-15T10:30:00Z' });
  expect(new Date(expiry?.at ?? 0).toISOString()).toBe('2014-01-19T00:00:00.000Z');
  expect(expiryOf(rules, { key: 'b', lastModified: '2014-01-15T10:30:00Z' })).toBeUndefined();
});

test('recordings expire within two days, uploads that nobody handed in too, and manuals never', async () => {
  for (const [bucket, key] of [
    ['manuel-audio', 'audio/u/1.wav'],
    ['manuel-manuals', 'uploads/u/1.pdf'],
    ['manuel-manuals', 'manuals/u/1.pdf'],
  ] as const)
    await put(bucket, key);
  ahead = 2 * day;
  await waitUntilGone('manuel-audio', 'audio/u/1.wav');
  await waitUntilGone('manuel-manuals', 'uploads/u/1.pdf');
  await put('manuel-audio', 'audio/u/2.wav');
  ahead = 400 * day;
  await waitUntilGone('manuel-audio', 'audio/u/2.wav');
  expect(await isThere('manuel-manuals', 'manuals/u/1.pdf')).toBe(true);
  ahead = 0;
});

test('a bucket’s encryption is that of objects whose upload names none, presigned or not', async () => {
  const encryptionOf = async (Key: string) => {
    const { ServerSideEncryption, SSEKMSKeyId } = await s3.send(new HeadObjectCommand({ Bucket, Key }));
    return [ServerSideEncryption, SSEKMSKeyId];
  };
  const byDefault = (SSEAlgorithm: 'AES256' | 'aws:kms', KMSMasterKeyID?: string) => ({
    Rules: [
      {
        ApplyServerSideEncryptionByDefault: { SSEAlgorithm, ...(KMSMasterKeyID ? { KMSMasterKeyID } : {}) },
        BucketKeyEnabled: true,
      },
    ],
  });
  await put(Bucket, 'before');
  expect(await encryptionOf('before')).toEqual(['AES256', undefined]);
  const config = byDefault('aws:kms', 'key-1');
  await s3.send(new PutBucketEncryptionCommand({ Bucket, ServerSideEncryptionConfiguration: config }));
  const got = await s3.send(new GetBucketEncryptionCommand({ Bucket }));
  expect(got.ServerSideEncryptionConfiguration).toEqual(config);
  await put(Bucket, 'after');
  expect(await encryptionOf('after')).toEqual(['aws:kms', 'key-1']);
  const named = { ServerSideEncryption: 'AES256' as const };
  await s3.send(new PutObjectCommand({ Bucket, Key: 'named', Body: 'x', ...named }));
  expect(await encryptionOf('named')).toEqual(['AES256', undefined]);
  const plain = new S3Client({ ...aws.client, requestChecksumCalculation: 'WHEN_REQUIRED' });
  const url = await getSignedUrl(plain, new PutObjectCommand({ Bucket, Key: 'link' }));
  expect((await fetch(url, { method: 'PUT', body: 'x' })).status).toBe(200);
  expect(await encryptionOf('link')).toEqual(['aws:kms', 'key-1']);
  plain.destroy();
  const wrong = byDefault('AES256', 'key-1');
  expect(
    await refusal(s3.send(new PutBucketEncryptionCommand({ Bucket, ServerSideEncryptionConfiguration: wrong }))),
  ).toMatchObject({ name: 'InvalidArgument' });
  await s3.send(new DeleteBucketEncryptionCommand({ Bucket }));
  await put(Bucket, 'again');
  expect(await encryptionOf('again')).toEqual(['AES256', undefined]);
});

test('rules survive a restart, and what was put by hand is not taken back', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'bucket-rules-'));
  const Rules: LifecycleRule[] = [{ ID: 'mine', Status: 'Enabled', Filter: { Prefix: '' }, Expiration: { Days: 7 } }];
  const own = { Bucket: 'manuel-audio', LifecycleConfiguration: { Rules } };
  const use = async <T>(work: (client: S3Client) => Promise<T>): Promise<T> => {
    await using local = await startTestAws({ dir });
    const client = new S3Client(local.client);
    return await work(client).finally(() => client.destroy());
  };
  await use((client) => client.send(new PutBucketLifecycleConfigurationCommand(own)));
  const got = await use((client) =>
    client.send(new GetBucketLifecycleConfigurationCommand({ Bucket: 'manuel-audio' })),
  );
  expect(got.Rules).toEqual(Rules);
  await rm(dir, { recursive: true });
});

import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { createHash, randomBytes } from 'node:crypto';
import { request } from 'node:http';
import { Readable } from 'node:stream';
import {
  CopyObjectCommand,
  CreateBucketCommand,
  DeleteBucketCommand,
  DeleteObjectCommand,
  DeleteObjectsCommand,
  GetObjectCommand,
  HeadBucketCommand,
  HeadObjectCommand,
  ListMultipartUploadsCommand,
  ListBucketsCommand,
  ListObjectsV2Command,
  paginateListObjectsV2,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import type { PutObjectCommandInput } from '@aws-sdk/client-s3';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import { refusal, startTestAws } from '../testing/local-aws.ts';
import type { TestAws } from '../testing/local-aws.ts';

const Bucket = 'manuel-manuals';
let aws: TestAws;
let s3: S3Client;
beforeAll(async () => {
  aws = await startTestAws();
  s3 = new S3Client(aws.client);
});
afterAll(async () => {
  s3.destroy();
  await aws.close();
});

const put = (Key: string, Body: PutObjectCommandInput['Body'], more: Partial<PutObjectCommandInput> = {}) =>
  s3.send(new PutObjectCommand({ Bucket, Key, ...(Body === undefined ? {} : { Body }), ...more }));
const read = async (Key: string, Range?: string): Promise<string> => {
  const { Body } = await s3.send(new GetObjectCommand({ Bucket, Key, ...(Range === undefined ? {} : { Range }) }));
  return Body?.transformToString() ?? '';
};

test('an object comes back with its bytes, type, metadata and encryption', async () => {
  const Key = 'a user/ü+&<>/manual (1).txt';
  await put(Key, 'hello', {
    ContentType: 'text/plain',
    Metadata: { owner: 'u1' },
    ServerSideEncryption: 'aws:kms',
    SSEKMSKeyId: 'key',
  });
  const { Body, ...got } = await s3.send(new GetObjectCommand({ Bucket, Key, ChecksumMode: 'ENABLED' }));
  expect(await Body?.transformToString()).toBe('hello');
  expect(got).toMatchObject({
    ContentType: 'text/plain',
    ContentLength: 5,
    Metadata: { owner: 'u1' },
    ServerSideEncryption: 'aws:kms',
    SSEKMSKeyId: 'key',
    ETag: '"5d41402abc4b2a76b9719d911017c592"',
    ChecksumCRC32: 'NhCmhg==',
  });
  const head = await s3.send(new HeadObjectCommand({ Bucket, Key }));
  expect(head).toMatchObject({ ContentLength: 5, Metadata: { owner: 'u1' } });
});

test('a large streamed upload is stored without the framing that the SDK sends', async () => {
  const content = randomBytes(52 * 1024 * 1024 + 7);
  const chunks = Readable.from(
    (function* () {
      for (let i = 0; i < content.length; i += 100_003) yield content.subarray(i, i + 100_003);
    })(),
  );
  await put('large', chunks, { ContentLength: content.length });
  const { Body } = await s3.send(new GetObjectCommand({ Bucket, Key: 'large' }));
  const hash = createHash('sha256');
  for await (const chunk of Readable.from(Object(Body))) hash.update(chunk);
  expect(hash.digest('hex')).toBe(createHash('sha256').update(content).digest('hex'));
});

test('ranges are those of HTTP', async () => {
  await put('range', '0123456789');
  expect(await read('range', 'bytes=2-4')).toBe('234');
  expect(await read('range', 'bytes=7-')).toBe('789');
  expect(await read('range', 'bytes=-2')).toBe('89');
  expect(await read('range', 'bytes=5-99')).toBe('56789');
  const { ContentRange, $metadata } = await s3.send(new GetObjectCommand({ Bucket, Key: 'range', Range: 'bytes=0-0' }));
  expect([ContentRange, $metadata.httpStatusCode]).toEqual(['bytes 0-0/10', 206]);
  expect(await refusal(read('range', 'bytes=10-'))).toMatchObject({ name: 'InvalidRange', status: 416 });
});

test('an empty object can be read', async () => {
  await put('empty', '', { ContentLength: 0 });
  expect(await read('empty')).toBe('');
});

test('what is not there is refused by name', async () => {
  expect(await refusal(read('none'))).toMatchObject({ name: 'NoSuchKey', status: 404 });
  expect(await refusal(s3.send(new HeadObjectCommand({ Bucket, Key: 'none' })))).toMatchObject({
    name: 'NotFound',
    status: 404,
  });
  expect(await refusal(s3.send(new ListObjectsV2Command({ Bucket: 'none' })))).toMatchObject({ name: 'NoSuchBucket' });
  expect(await refusal(put('x'.repeat(1025), 'x'))).toMatchObject({ name: 'KeyTooLongError', status: 400 });
});

test('a body that is not what was announced leaves the old object in place', async () => {
  await put('kept', 'old');
  expect(
    await refusal(put('kept', 'new', { ContentMD5: createHash('md5').update('other').digest('base64') })),
  ).toMatchObject({ name: 'BadDigest', status: 400 });
  expect(
    await refusal(put('kept', 'new', { ChecksumSHA256: createHash('sha256').update('other').digest('base64') })),
  ).toMatchObject({ name: 'BadDigest' });
  const upload = await getSignedUrl(plainClient(), new PutObjectCommand({ Bucket, Key: 'kept' }));
  await new Promise<void>((resolve) => {
    const half = request(upload, { method: 'PUT', headers: { 'content-length': 10 } }, () => resolve());
    half.on('error', () => resolve());
    half.write('newer', () => half.destroy());
  });
  expect(await read('kept')).toBe('old');
});

test('conditional writes', async () => {
  await put('once', '1', { IfNoneMatch: '*' });
  expect(await refusal(put('once', '2', { IfNoneMatch: '*' }))).toMatchObject({
    name: 'PreconditionFailed',
    status: 412,
  });
  expect(await refusal(put('once', '2', { IfMatch: '"other"' }))).toMatchObject({ name: 'PreconditionFailed' });
  expect(await read('once')).toBe('1');
});

test('copies keep or replace metadata', async () => {
  await put('copy/from', 'text', { Metadata: { a: '1' }, ContentType: 'text/plain' });
  const CopySource = `${Bucket}/copy/from`;
  await s3.send(new CopyObjectCommand({ Bucket, Key: 'copy/same', CopySource }));
  await s3.send(
    new CopyObjectCommand({ Bucket, Key: 'copy/new', CopySource, MetadataDirective: 'REPLACE', Metadata: { b: '2' } }),
  );
  expect((await s3.send(new HeadObjectCommand({ Bucket, Key: 'copy/same' }))).Metadata).toEqual({ a: '1' });
  expect((await s3.send(new HeadObjectCommand({ Bucket, Key: 'copy/new' }))).Metadata).toEqual({ b: '2' });
  expect(await read('copy/new')).toBe('text');
  expect(
    await refusal(s3.send(new CopyObjectCommand({ Bucket, Key: 'x', CopySource: `${Bucket}/none` }))),
  ).toMatchObject({ name: 'NoSuchKey' });
});

test('lists go by prefix, delimiter and page, in byte order', async () => {
  const keys = ['list/a/1', 'list/a/2', 'list/b', 'list/c/1', 'list/é', 'list/z'];
  for (const key of keys.toReversed()) await put(key, key);
  const paged: string[] = [];
  for await (const page of paginateListObjectsV2({ client: s3, pageSize: 2 }, { Bucket, Prefix: 'list/' })) {
    expect(page.KeyCount).toBe(2);
    paged.push(...(page.Contents ?? []).map((object) => object.Key ?? ''));
  }
  expect(paged).toEqual(['list/a/1', 'list/a/2', 'list/b', 'list/c/1', 'list/z', 'list/é']);
  const folders: string[] = [];
  for await (const page of paginateListObjectsV2(
    { client: s3, pageSize: 1 },
    { Bucket, Prefix: 'list/', Delimiter: '/' },
  )) {
    folders.push(...(page.CommonPrefixes ?? []).map((common) => common.Prefix ?? ''));
    folders.push(...(page.Contents ?? []).map((object) => object.Key ?? ''));
  }
  expect(folders).toEqual(['list/a/', 'list/b', 'list/c/', 'list/z', 'list/é']);
  const after = await s3.send(new ListObjectsV2Command({ Bucket, Prefix: 'list/', StartAfter: 'list/c/1' }));
  expect(after.Contents?.map((object) => object.Key)).toEqual(['list/z', 'list/é']);
});

test('deletes one, several and what is not there', async () => {
  for (const key of ['d/1', 'd/2', 'd/3']) await put(key, 'x');
  await s3.send(new DeleteObjectCommand({ Bucket, Key: 'd/1' }));
  await s3.send(new DeleteObjectCommand({ Bucket, Key: 'd/1' }));
  const { Deleted } = await s3.send(
    new DeleteObjectsCommand({ Bucket, Delete: { Objects: [{ Key: 'd/2' }, { Key: 'd/3' }, { Key: 'd/<4>' }] } }),
  );
  expect(Deleted?.map(({ Key }) => Key)).toEqual(['d/2', 'd/3', 'd/<4>']);
  expect((await s3.send(new ListObjectsV2Command({ Bucket, Prefix: 'd/' }))).KeyCount).toBe(0);
});

test('buckets', async () => {
  await s3.send(new CreateBucketCommand({ Bucket: 'another' }));
  const { Buckets } = await s3.send(new ListBucketsCommand({}));
  expect(Buckets?.map(({ Name }) => Name)).toEqual(
    expect.arrayContaining(['another', 'manuel-audio', 'manuel-manuals']),
  );
  await s3.send(new HeadBucketCommand({ Bucket: 'another' }));
  expect(await refusal(s3.send(new DeleteBucketCommand({ Bucket })))).toMatchObject({
    name: 'BucketNotEmpty',
    status: 409,
  });
  await s3.send(new DeleteBucketCommand({ Bucket: 'another' }));
  expect(await refusal(s3.send(new HeadBucketCommand({ Bucket: 'another' })))).toMatchObject({ status: 404 });
});

/** As a gateway signs for a browser: no checksum of a body that it does not have. */
function plainClient(): S3Client {
  return new S3Client({ ...aws.client, requestChecksumCalculation: 'WHEN_REQUIRED' });
}

const upload = (url: string, body: string, contentType: string, more: Record<string, string> = {}) =>
  fetch(url, { method: 'PUT', body, headers: { 'content-type': contentType, ...more } });

test('a presigned upload takes exactly the size and type that were signed', async () => {
  const command = new PutObjectCommand({
    Bucket,
    Key: 'presigned',
    ContentType: 'audio/wav',
    ContentLength: 5,
    Metadata: { owner: 'u1' },
  });
  const url = await getSignedUrl(plainClient(), command, {
    expiresIn: 60,
    signableHeaders: new Set(['host', 'content-type', 'content-length']),
  });
  for (const refused of [
    await upload(url, '123456', 'audio/wav'),
    await upload(url, '1234', 'audio/wav'),
    await upload(url, '12345', 'audio/mpeg'),
    await upload(url.replace('/presigned', '/other'), '12345', 'audio/wav'),
    await upload(`${url}&x-amz-meta-more=1`, '12345', 'audio/wav'),
    await fetch(url),
  ]) {
    expect([refused.status, await refused.text()]).toEqual([
      403,
      expect.stringContaining('<Code>SignatureDoesNotMatch</Code>'),
    ]);
  }
  const unsigned = await upload(url, '12345', 'audio/wav', { 'x-amz-meta-other': '1' });
  expect([unsigned.status, await unsigned.text()]).toEqual([403, expect.stringContaining('<Code>AccessDenied</Code>')]);
  expect(await refusal(read('presigned'))).toMatchObject({ name: 'NoSuchKey' });

  expect((await upload(url, '12345', 'audio/wav')).status).toBe(200);
  expect(await s3.send(new HeadObjectCommand({ Bucket, Key: 'presigned' }))).toMatchObject({
    ContentType: 'audio/wav',
    Metadata: { owner: 'u1' },
  });
});

test('a link signed with another key, or expired, opens nothing', async () => {
  await put('secret', 'text');
  const other = new S3Client({ ...aws.client, credentials: { accessKeyId: 'local', secretAccessKey: 'wrong' } });
  const unknown = new S3Client({ ...aws.client, credentials: { accessKeyId: 'who', secretAccessKey: 'local' } });
  const command = new GetObjectCommand({ Bucket, Key: 'secret' });
  const code = async (url: string): Promise<string> => {
    const response = await fetch(url);
    return `${response.status} ${/<Code>(\w+)</.exec(await response.text())?.[1]}`;
  };
  expect(await code(await getSignedUrl(other, command))).toBe('403 SignatureDoesNotMatch');
  expect(await code(await getSignedUrl(unknown, command))).toBe('403 InvalidAccessKeyId');
  const past = new Date(Date.now() - 61_000);
  expect(await code(await getSignedUrl(s3, command, { expiresIn: 60, signingDate: past }))).toBe('403 AccessDenied');
  expect(await code(`${aws.endpoint}/${Bucket}/secret`)).toBe('403 AccessDenied');
});

test('a presigned download names its own headers', async () => {
  await put('file é.pdf', 'pdf');
  const command = new GetObjectCommand({
    Bucket,
    Key: 'file é.pdf',
    ResponseContentDisposition: 'inline; filename="manual.pdf"',
    ResponseContentType: 'application/pdf',
  });
  const response = await fetch(await getSignedUrl(s3, command, { expiresIn: 60 }));
  expect(response.headers.get('content-disposition')).toBe('inline; filename="manual.pdf"');
  expect(response.headers.get('content-type')).toBe('application/pdf');
  expect(await response.text()).toBe('pdf');
});

test('a browser may upload from another origin', async () => {
  const url = await getSignedUrl(plainClient(), new PutObjectCommand({ Bucket, Key: 'browser' }));
  const preflight = await fetch(url, {
    method: 'OPTIONS',
    headers: {
      origin: 'http://localhost:3000',
      'access-control-request-method': 'PUT',
      'access-control-request-headers': 'content-type',
    },
  });
  expect(preflight.status).toBe(200);
  expect(preflight.headers.get('access-control-allow-origin')).toBe('http://localhost:3000');
  expect(preflight.headers.get('access-control-allow-methods')).toContain('PUT');
  expect(preflight.headers.get('access-control-allow-headers')).toBe('content-type');
  const put = await fetch(url, { method: 'PUT', body: 'x', headers: { origin: 'http://localhost:3000' } });
  expect(put.headers.get('access-control-expose-headers')).toContain('ETag');
});

test('an operation that is not served says so', async () => {
  expect(await refusal(s3.send(new ListMultipartUploadsCommand({ Bucket })))).toMatchObject({
    name: 'NotImplemented',
    status: 501,
  });
});

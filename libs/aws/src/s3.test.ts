import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { startAwsLocal, type AwsLocal } from '../../../dev/aws-local/src/start.ts';
import type { Resilience } from '@manuel/resilience';
import { settingsWith } from '@manuel/settings';
import { createS3, type S3 } from './s3.ts';
import { contentDisposition } from './s3-presign.ts';

const settings = settingsWith();
const { manuals_bucket: bucket, audio_bucket: other } = settings.storage;
let aws: AwsLocal;
let dir: string;
let s3: S3;

/** S3's own behaviour is the subject: no retries in between. */
const direct: Resilience = {
  call: (_call, work) => work(AbortSignal.timeout(10_000)),
  isOpen: () => false,
  record: () => undefined,
  breakers: () => Promise.resolve([]),
  reset: () => Promise.resolve(false),
  close: () => Promise.resolve(),
};

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 's3-'));
  aws = await startAwsLocal({ dir });
  Object.assign(process.env, {
    AWS_ENDPOINT_URL: aws.endpoint,
    AWS_ACCESS_KEY_ID: 'local',
    AWS_SECRET_ACCESS_KEY: 'local',
  });
  s3 = createS3({ settings, resilience: direct });
});
afterAll(async () => {
  s3.close();
  await aws.close();
  await rm(dir, { recursive: true, force: true });
});

const contentType = 'text/plain';

test('stores bytes and files, encrypted, and reads them back with their facts', async () => {
  await s3.putObject({ bucket, key: 'manuals/u/m/é n.txt', body: 'hello', contentType });
  const path = join(dir, 'big.bin');
  await writeFile(path, Buffer.alloc(300_000, 'x'));
  const { etag } = await s3.putObject({ bucket, key: 'manuals/u/m/big', body: { path, size: 300_000 }, contentType });

  const small = await s3.getObject({ bucket, key: 'manuals/u/m/é n.txt', maxBytes: 100 });
  expect(small?.bytes.toString()).toBe('hello');
  expect(await s3.headObject({ bucket, key: 'manuals/u/m/big' })).toMatchObject({
    size: 300_000,
    etag,
    content_type: contentType,
  });
  const opened = await s3.getObjectStream({ bucket, key: 'manuals/u/m/big', ifMatch: etag });
  expect((await text(opened!.stream)).length).toBe(300_000);

  const link = await s3.presignGet({ bucket, key: 'manuals/u/m/big', filename: 'b', contentType });
  expect((await fetch(link.url)).headers.get('x-amz-server-side-encryption')).toBe('AES256');
});

test('an absent object is no error, a larger or another one is', async () => {
  expect(await s3.getObject({ bucket, key: 'none', maxBytes: 10 })).toBeUndefined();
  expect(await s3.getObjectStream({ bucket, key: 'none' })).toBeUndefined();
  expect(await s3.headObject({ bucket, key: 'none' })).toBeUndefined();
  expect(await s3.copyObject({ from: { bucket, key: 'none' }, to: { bucket, key: 'x' }, contentType })).toBe(false);
  await s3.putObject({ bucket, key: 'ten', body: '0123456789', contentType });
  await expect(s3.getObject({ bucket, key: 'ten', maxBytes: 9 })).rejects.toMatchObject({ code: 'payload_too_large' });
  await expect(s3.getObjectStream({ bucket, key: 'ten', ifMatch: 'abc' })).rejects.toMatchObject({
    code: 'upload_mismatch',
  });
});

test('copies between buckets, lists every page, deletes more than a call takes', async () => {
  await s3.putObject({ bucket: other, key: 'uploads/u/ä b+c.pdf', body: 'copy me', contentType });
  const to = { bucket, key: 'copied/one' };
  expect(
    await s3.copyObject({ from: { bucket: other, key: 'uploads/u/ä b+c.pdf' }, to, contentType: 'application/pdf' }),
  ).toBe(true);
  expect(await s3.headObject(to)).toMatchObject({ size: 7, content_type: 'application/pdf' });

  const keys = Array.from({ length: 1001 }, (_, index) => `many/${String(index).padStart(4, '0')}`);
  for (let start = 0; start < keys.length; start += 50) {
    await Promise.all(
      keys.slice(start, start + 50).map((key) => s3.putObject({ bucket, key, body: 'x', contentType })),
    );
  }
  const listed = await Array.fromAsync(s3.listObjects(bucket, 'many/'), (object) => object.key);
  expect(listed).toEqual(keys);
  await s3.deleteObjects(bucket, [...keys, 'never/there']);
  expect(await Array.fromAsync(s3.listObjects(bucket, 'many/'))).toEqual([]);
});

test('a presigned upload takes exactly the bytes and the type that were announced', async () => {
  const announced = { bucket: other, key: 'uploads/u/upl_1', contentType: 'application/pdf', size: 5 };
  const upload = await s3.presignPut(announced);
  const put = (body: string, headers: Record<string, string> = {}) =>
    fetch(upload.url, {
      method: 'PUT',
      headers: { ...upload.headers, 'content-length': String(body.length), ...headers },
      body,
    });
  expect((await put('123456')).status).toBe(403);
  expect((await put('12345', { 'content-type': 'text/html' })).status).toBe(403);
  expect(await s3.headObject(announced)).toBeUndefined();
  expect((await put('12345')).status).toBe(200);
  expect(await s3.headObject(announced)).toMatchObject({ size: 5, content_type: 'application/pdf' });
});

test('a link to a manual shows pages, never runs script, and carries any file name', async () => {
  await s3.putObject({ bucket, key: 'page', body: '<script>alert(1)</script>', contentType: 'text/html' });
  const read = async (type: string, filename = 'manual') => {
    const { url } = await s3.presignGet({ bucket, key: 'page', filename, contentType: type });
    const { headers } = await fetch(url);
    return [headers.get('content-type'), headers.get('content-disposition')];
  };
  expect(await read('text/html', 'x.html')).toEqual([
    'application/octet-stream',
    expect.stringMatching(/^attachment;/),
  ]);
  expect(await read('image/svg+xml')).toEqual(['application/octet-stream', expect.stringMatching(/^attachment;/)]);
  expect(await read('application/pdf')).toEqual(['application/pdf', expect.stringMatching(/^inline;/)]);
  expect(await read('text/markdown')).toEqual(['text/plain; charset=utf-8', expect.stringMatching(/^inline;/)]);
  expect(contentDisposition('inline', 'a"\r\nSet-Cookie: x; ☕.pdf')).toBe(
    `inline; filename="a___Set-Cookie: x; _.pdf"; filename*=UTF-8''a%22%0D%0ASet-Cookie%3A%20x%3B%20%E2%98%95.pdf`,
  );
});

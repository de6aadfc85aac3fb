import type { ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { AwsError } from '../service.ts';
import type { AwsRequest } from '../service.ts';
import type { S3Address } from './address.ts';
import { decodeAwsChunked } from './aws-chunked.ts';
import type { BucketRules } from './bucket-rules.ts';
import { ChecksumVerifier } from './checksums.ts';
import { headerOf, objectHeaders, uploadAnswerHeaders } from './object-headers.ts';
import type { ObjectStore, Received } from './object-store.ts';

const maxObjectBytes = 5 * 1024 ** 3;

/** PutObject. The object appears only when the whole body arrived and is what the request announced. */
export async function putObject(
  store: ObjectStore,
  rules: BucketRules,
  { bucket, key }: S3Address,
  request: AwsRequest,
  response: ServerResponse,
): Promise<void> {
  const headers = objectHeaders(request, rules.encryptionOf(bucket));
  const expected = announcedLength(request);
  checkPreconditions(store, { bucket, key }, request);
  const verifier = new ChecksumVerifier(announcedNames(request));
  const trailers = new Map<string, string>();
  const received = await store.receive(bucket, Readable.from(watch(contentOf(request, trailers), verifier)));
  try {
    if (received.size !== expected) {
      throw new AwsError(
        'IncompleteBody',
        'You did not provide the number of bytes specified by the Content-Length HTTP header',
      );
    }
    Object.assign(headers, verifier.verify(announcedChecksums(request, trailers), received.etag));
    checkPreconditions(store, { bucket, key }, request);
  } catch (error) {
    await store.discard(bucket, received);
    throw error;
  }
  const object = await store.commit(bucket, key, received, headers);
  response.writeHead(200, {
    etag: `"${object.etag}"`,
    'content-length': '0',
    ...rules.expiryHeader(bucket, object),
    ...uploadAnswerHeaders(headers),
  });
  response.end();
}

/** CopyObject within this store. */
export async function copyObject(
  store: ObjectStore,
  rules: BucketRules,
  { bucket, key }: S3Address,
  source: S3Address,
  request: AwsRequest,
): Promise<{ etag: string; lastModified: string }> {
  const original = store.find(source.bucket, source.key);
  if (!original) throw new AwsError('NoSuchKey', 'The specified key does not exist.', 404);
  const replace = headerOf(request, 'x-amz-metadata-directive') === 'REPLACE';
  if (!replace && source.bucket === bucket && source.key === key) {
    throw new AwsError(
      'InvalidRequest',
      "This copy request is illegal because it is trying to copy an object to itself without changing the object's metadata, storage class, website redirect location or encryption attributes.",
    );
  }
  const handle = await store.openContent(source.bucket, original);
  const received: Received = await store.receive(bucket, handle.createReadStream());
  const headers = replace ? objectHeaders(request, rules.encryptionOf(bucket)) : { ...original.headers };
  return store.commit(bucket, key, received, headers);
}

function contentOf(request: AwsRequest, trailers: Map<string, string>): AsyncIterable<Buffer> {
  const body = request.raw.iterator({ destroyOnReturn: false });
  return isAwsChunked(request) ? decodeAwsChunked(body, trailers) : body;
}

async function* watch(body: AsyncIterable<Buffer>, verifier: ChecksumVerifier): AsyncGenerator<Buffer> {
  for await (const chunk of body) {
    verifier.update(chunk);
    yield chunk;
  }
}

function isAwsChunked(request: AwsRequest): boolean {
  return (
    request.headers['content-encoding']?.includes('aws-chunked') === true ||
    headerOf(request, 'x-amz-content-sha256')?.startsWith('STREAMING-') === true
  );
}

function announcedLength(request: AwsRequest): number {
  const length = isAwsChunked(request)
    ? headerOf(request, 'x-amz-decoded-content-length')
    : request.headers['content-length'];
  if (length === undefined || !/^\d+$/.test(length)) {
    throw new AwsError('MissingContentLength', 'You must provide the Content-Length HTTP header.', 411);
  }
  if (Number(length) > maxObjectBytes) {
    throw new AwsError('EntityTooLarge', 'Your proposed upload exceeds the maximum allowed size');
  }
  return Number(length);
}

function announcedNames(request: AwsRequest): string[] {
  const trailers = (headerOf(request, 'x-amz-trailer') ?? '').split(',').map((name) => name.trim().toLowerCase());
  return [...announcedChecksums(request, new Map()).keys(), ...trailers];
}

function announcedChecksums(request: AwsRequest, trailers: ReadonlyMap<string, string>): Map<string, string> {
  const announced = new Map<string, string>();
  for (const [name, value] of request.query) announced.set(name.toLowerCase(), value);
  for (const [name, value] of Object.entries(request.headers))
    if (typeof value === 'string') announced.set(name, value);
  for (const [name, value] of trailers) announced.set(name, value);
  return announced;
}

/** Conditional writes: `If-None-Match: *` and `If-Match: <etag>`. */
function checkPreconditions(store: ObjectStore, { bucket, key }: S3Address, request: AwsRequest): void {
  const existing = store.find(bucket, key);
  const match = request.headers['if-match'];
  if (match !== undefined && !existing) throw new AwsError('NoSuchKey', 'The specified key does not exist.', 404);
  const failed =
    (request.headers['if-none-match'] === '*' && existing !== undefined) ||
    (match !== undefined && existing !== undefined && match.replaceAll('"', '') !== existing.etag);
  if (failed)
    throw new AwsError('PreconditionFailed', 'At least one of the pre-conditions you specified did not hold', 412);
}

import type { ServerResponse } from 'node:http';
import { pipeline } from 'node:stream/promises';
import { AwsError } from '../service.ts';
import type { AwsRequest } from '../service.ts';
import type { S3Address } from './address.ts';
import type { BucketRules } from './bucket-rules.ts';
import { parseRange } from './range.ts';
import type { ObjectStore, StoredObject } from './object-store.ts';

/** Query parameters that a signed reader may use to change the answer's headers. */
const overrides: Readonly<Record<string, string>> = {
  'response-content-type': 'content-type',
  'response-content-language': 'content-language',
  'response-expires': 'expires',
  'response-cache-control': 'cache-control',
  'response-content-disposition': 'content-disposition',
  'response-content-encoding': 'content-encoding',
};

/** GetObject and HeadObject. */
export async function getObject(
  store: ObjectStore,
  rules: BucketRules,
  { bucket, key }: S3Address,
  request: AwsRequest,
  response: ServerResponse,
): Promise<void> {
  const object = store.find(bucket, key);
  if (!object) throw new AwsError('NoSuchKey', 'The specified key does not exist.', 404);
  if (isUnchanged(object, request)) {
    response.writeHead(304, { etag: `"${object.etag}"` }).end();
    return;
  }
  const range = parseRange(request.headers.range, object.size);
  const headers = { ...answerHeaders(object, request), ...rules.expiryHeader(bucket, object) };
  if (range) {
    headers['content-range'] = `bytes ${range.start}-${range.end}/${object.size}`;
    headers['content-length'] = String(range.end - range.start + 1);
    // Checksums are those of the whole object.
    for (const name of Object.keys(headers)) if (name.startsWith('x-amz-checksum-')) delete headers[name];
  }
  if (request.method === 'HEAD') {
    response.writeHead(range ? 206 : 200, headers).end();
    return;
  }
  const handle = await store.openContent(bucket, object);
  response.writeHead(range ? 206 : 200, headers);
  await pipeline(handle.createReadStream(range ?? {}), response);
}

function answerHeaders(object: StoredObject, request: AwsRequest): Record<string, string> {
  const headers: Record<string, string> = {
    'accept-ranges': 'bytes',
    'content-length': String(object.size),
    etag: `"${object.etag}"`,
    'last-modified': new Date(object.lastModified).toUTCString(),
  };
  for (const [name, value] of Object.entries(object.headers)) {
    if (!name.startsWith('x-amz-checksum-') || request.headers['x-amz-checksum-mode'] === 'ENABLED')
      headers[name] = value;
  }
  for (const [name, value] of request.query) {
    const header = overrides[name];
    if (header !== undefined) headers[header] = value;
  }
  return headers;
}

function isUnchanged(object: StoredObject, request: AwsRequest): boolean {
  const match = request.headers['if-match'];
  if (match !== undefined && match !== '*' && match.replaceAll('"', '') !== object.etag) {
    throw new AwsError('PreconditionFailed', 'At least one of the pre-conditions you specified did not hold', 412);
  }
  const noneMatch = request.headers['if-none-match'];
  if (noneMatch !== undefined) return noneMatch === '*' || noneMatch.replaceAll('"', '') === object.etag;
  const since = Date.parse(request.headers['if-modified-since'] ?? '');
  return Math.floor(Date.parse(object.lastModified) / 1000) * 1000 <= since;
}

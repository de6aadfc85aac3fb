import type { ServerResponse } from 'node:http';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import type { BucketDefinition } from '../manuel-buckets.ts';
import { element } from '../xml.ts';
import { addressOf } from '../s3/address.ts';
import type { S3Address } from '../s3/address.ts';
import { bucketRuleOperation, BucketRules } from '../s3/bucket-rules.ts';
import { deleteObjects } from '../s3/delete-objects.ts';
import { encryptionHeaders } from '../s3/encryption.ts';
import { getObject } from '../s3/get-object.ts';
import { listObjectsV2 } from '../s3/list-objects.ts';
import { headerOf } from '../s3/object-headers.ts';
import { ObjectStore } from '../s3/object-store.ts';
import { verifyPresigned } from '../s3/presigned.ts';
import type { Credentials } from '../s3/presigned.ts';
import { copyObject, putObject } from '../s3/put-object.ts';
import { AwsError } from '../service.ts';
import type { AwsRequest, AwsService, AwsServiceOptions } from '../service.ts';

export interface S3Options extends Pick<AwsServiceOptions, 'dataDir' | 'region' | 'log'> {
  /** Buckets that exist from the start, with the rules that they have until they are told others. */
  readonly buckets: readonly BucketDefinition[];
  /** Whoever signed a link must have used these. */
  readonly credentials: Credentials;
  /** How often expired objects are deleted; a minute unless set. */
  readonly sweepEveryMs?: number;
  /** What time it is for them, in milliseconds since 1970; the real time unless set. */
  readonly now?: () => number;
}

const sweepEveryMs = 60_000;

/** S3, and what the other services read and write of it without a request. */
export interface S3 extends AwsService, Pick<AwsServiceOptions, 'readObject' | 'listObjects' | 'writeObject'> {}

/** Sub-resources (`?acl`, `?tagging`, `?uploads`, ...) that are not served. */
const subresources = [
  'accelerate', 'acl', 'analytics', 'attributes', 'cors', 'legal-hold', 'logging', 'metrics', 'notification',
  'object-lock', 'ownershipControls', 'policy', 'publicAccessBlock', 'replication', 'restore', 'retention', 'select', 'tagging', 'uploadId',
  'uploads', 'versioning', 'versions', 'website',
]; // prettier-ignore

export async function createS3(options: S3Options): Promise<S3> {
  const store = await ObjectStore.open(options.dataDir);
  const rules = await BucketRules.open(join(options.dataDir, 'bucket-rules.json'));
  for (const { name, ...own } of options.buckets) {
    await store.createBucket(name);
    await rules.setInitial(name, own);
  }
  const now = options.now ?? Date.now;
  let sweeping: Promise<void> = Promise.resolve();
  const sweep = (): void => {
    sweeping = sweeping
      .then(() => rules.sweep(store, now()))
      .then((deleted) => deleted > 0 && options.log('expired objects deleted', { deleted }))
      .then(
        () => undefined,
        (error: unknown) => options.log('deleting expired objects failed', { error: String(error) }),
      );
  };
  // What expired while nothing ran goes at once.
  sweep();
  const timer = setInterval(sweep, options.sweepEveryMs ?? sweepEveryMs).unref();
  const hasBucket = (name: string): boolean => store.hasBucket(name);

  return {
    name: 's3',
    errorProtocol: 's3-xml',
    operationOf: (request) => operationOf(request, addressOf(request, hasBucket)),
    handle: (operation, request, response) => {
      if (request.query.has('X-Amz-Signature') || request.query.has('X-Amz-Credential'))
        verifyPresigned(request, options.credentials);
      return handle(store, rules, options.region, operation, addressOf(request, hasBucket), request, response);
    },
    async readObject(bucket, key) {
      const object = store.find(bucket, key);
      return object && buffer((await store.openContent(bucket, object)).createReadStream());
    },
    listObjects: (bucket, prefix) => Promise.resolve(store.list(bucket, prefix).map((object) => object.key)),
    async writeObject(bucket, key, body, contentType) {
      if (!store.hasBucket(bucket)) throw noSuchBucket();
      const received = await store.receive(bucket, Readable.from([body]));
      await store.commit(bucket, key, received, {
        'content-type': contentType,
        ...encryptionHeaders(rules.encryptionOf(bucket)),
      });
    },
    async close() {
      clearInterval(timer);
      await sweeping;
    },
  };
}

function operationOf(request: AwsRequest, { bucket, key }: S3Address): string | undefined {
  const { method, query } = request;
  if (subresources.some((name) => query.has(name))) return undefined;
  const ruleOperation = bucketRuleOperation(method, query);
  if (ruleOperation !== undefined) return key === '' && bucket !== '' ? ruleOperation : undefined;
  if (bucket === '') return method === 'GET' ? 'ListBuckets' : undefined;
  if (key === '') {
    if (method === 'POST') return query.has('delete') ? 'DeleteObjects' : undefined;
    if (method === 'GET' && query.has('location')) return 'GetBucketLocation';
    if (method === 'GET') return query.get('list-type') === '2' ? 'ListObjectsV2' : undefined;
    return { PUT: 'CreateBucket', HEAD: 'HeadBucket', DELETE: 'DeleteBucket' }[method];
  }
  if (method === 'PUT') return headerOf(request, 'x-amz-copy-source') === undefined ? 'PutObject' : 'CopyObject';
  return { GET: 'GetObject', HEAD: 'HeadObject', DELETE: 'DeleteObject' }[method];
}

async function handle(
  store: ObjectStore,
  rules: BucketRules,
  region: string,
  operation: string,
  address: S3Address,
  request: AwsRequest,
  response: ServerResponse,
): Promise<void> {
  const { bucket, key } = address;
  if (operation !== 'ListBuckets' && operation !== 'CreateBucket' && !store.hasBucket(bucket)) throw noSuchBucket();
  if (bucketRuleOperation(request.method, request.query) === operation)
    return rules.handle(operation, bucket, await request.body(), response);
  switch (operation) {
    case 'ListBuckets':
      return sendXml(response, listBuckets(store));
    case 'CreateBucket':
      return createBucket(store, bucket, response);
    case 'HeadBucket':
      response.writeHead(200, { 'x-amz-bucket-region': region }).end();
      return;
    case 'DeleteBucket':
      if (store.list(bucket, '').length > 0) {
        throw new AwsError('BucketNotEmpty', 'The bucket you tried to delete is not empty', 409);
      }
      await store.deleteBucket(bucket);
      await rules.forget(bucket);
      response.writeHead(204).end();
      return;
    case 'GetBucketLocation':
      return sendXml(
        response,
        `<LocationConstraint xmlns="http://s3.amazonaws.com/doc/2006-03-01/">${region}</LocationConstraint>`,
      );
    case 'ListObjectsV2':
      return sendXml(response, listObjectsV2(store, bucket, request.query));
    case 'DeleteObjects':
      return sendXml(response, await deleteObjects(store, bucket, await request.body()));
    case 'PutObject':
      return putObject(store, rules, address, request, response);
    case 'CopyObject':
      return sendCopy(store, rules, address, request, response);
    case 'DeleteObject':
      await store.delete(bucket, key);
      response.writeHead(204).end();
      return;
    default:
      return getObject(store, rules, address, request, response);
  }
}

function listBuckets(store: ObjectStore): string {
  const buckets = store
    .buckets()
    .map(({ name, createdAt }) => `<Bucket>${element('Name', name)}${element('CreationDate', createdAt)}</Bucket>`);
  return `<ListAllMyBucketsResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Owner><ID>local</ID></Owner><Buckets>${buckets.join('')}</Buckets></ListAllMyBucketsResult>`;
}

async function createBucket(store: ObjectStore, bucket: string, response: ServerResponse): Promise<void> {
  if (!/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/.test(bucket))
    throw new AwsError('InvalidBucketName', 'The specified bucket is not valid.');
  if (store.hasBucket(bucket)) {
    throw new AwsError(
      'BucketAlreadyOwnedByYou',
      'Your previous request to create the named bucket succeeded and you already own it.',
      409,
    );
  }
  await store.createBucket(bucket);
  response.writeHead(200, { location: `/${bucket}` }).end();
}

async function sendCopy(
  store: ObjectStore,
  rules: BucketRules,
  target: S3Address,
  request: AwsRequest,
  response: ServerResponse,
): Promise<void> {
  const source = decodeURIComponent(headerOf(request, 'x-amz-copy-source') ?? '').replace(/^\//, '');
  const slash = source.indexOf('/');
  if (slash < 1 || slash === source.length - 1) {
    throw new AwsError('InvalidArgument', 'Copy Source must mention the source bucket and key: sourcebucket/sourcekey');
  }
  const address = { bucket: source.slice(0, slash), key: source.slice(slash + 1) };
  if (!store.hasBucket(address.bucket)) throw noSuchBucket();
  const { etag, lastModified } = await copyObject(store, rules, target, address, request);
  sendXml(
    response,
    `<CopyObjectResult>${element('LastModified', lastModified)}${element('ETag', `"${etag}"`)}</CopyObjectResult>`,
  );
}

function sendXml(response: ServerResponse, xml: string): void {
  response.writeHead(200, { 'content-type': 'application/xml', 'content-length': Buffer.byteLength(xml) }).end(xml);
}

function noSuchBucket(): AwsError {
  return new AwsError('NoSuchBucket', 'The specified bucket does not exist', 404);
}

import { createReadStream } from 'node:fs';
import { buffer } from 'node:stream/consumers';
import type { Readable } from 'node:stream';
import {
  CopyObjectCommand,
  DeleteObjectsCommand,
  GetObjectCommand,
  HeadBucketCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
  S3ServiceException,
} from '@aws-sdk/client-s3';
import { ManuelError } from '@manuel/contracts';
import type { Resilience } from '@manuel/resilience';
import type { Settings } from '@manuel/settings';
import { s3ClientOptions } from './client-options.ts';
import { presignGet, presignPut } from './s3-presign.ts';
import type { PresignGetInput, PresignPutInput, PresignedUpload } from './s3-presign.ts';

export interface ObjectAddress {
  readonly bucket: string;
  readonly key: string;
}

export interface ObjectFacts {
  readonly key: string;
  /** Bytes. */
  readonly size: number;
  /** Without the quotes of the wire. */
  readonly etag: string;
  readonly content_type: string;
  /** Milliseconds since 1970. */
  readonly last_modified: number;
}

export interface PutObjectInput extends ObjectAddress {
  /** Bytes, or a file on this machine that is streamed (and read again when the call is retried). */
  readonly body: Uint8Array | string | { readonly path: string; readonly size: number };
  readonly contentType: string;
  readonly signal?: AbortSignal;
}

export interface GetObjectInput extends ObjectAddress {
  /** Refuse an object that is another by now. */
  readonly ifMatch?: string;
  readonly signal?: AbortSignal;
}

export interface S3 {
  /** Stores an object, encrypted at rest. Answers its ETag. */
  putObject(input: PutObjectInput): Promise<{ readonly etag: string }>;
  /** The whole object; undefined when there is none. Throws `payload_too_large` above `maxBytes`, having read no more than that. */
  getObject(
    input: GetObjectInput & { readonly maxBytes: number },
  ): Promise<{ bytes: Buffer; facts: ObjectFacts } | undefined>;
  /**
   * The object as a stream that the caller consumes or destroys; undefined when there is none. With `ifMatch`, `upload_mismatch`
   * when the object is another one.
   */
  getObjectStream(input: GetObjectInput): Promise<{ stream: Readable; facts: ObjectFacts } | undefined>;
  headObject(input: ObjectAddress & { readonly signal?: AbortSignal }): Promise<ObjectFacts | undefined>;
  /** Deletes up to any number of keys, a thousand a call. Absent ones count as deleted. */
  deleteObjects(bucket: string, keys: readonly string[], signal?: AbortSignal): Promise<void>;
  /** Every object under the prefix, in key order, page by page. */
  listObjects(bucket: string, prefix: string, signal?: AbortSignal): AsyncIterable<Omit<ObjectFacts, 'content_type'>>;
  /** Copies inside S3, encrypted at rest. False when the source is gone. With `ifMatch`, `upload_mismatch` when it is another one. */
  copyObject(input: {
    readonly from: ObjectAddress & { readonly ifMatch?: string };
    readonly to: ObjectAddress;
    readonly contentType: string;
    readonly signal?: AbortSignal;
  }): Promise<boolean>;
  /** A link by which exactly `size` bytes of exactly this type can be put, with the headers that the client must send. */
  presignPut(input: PresignPutInput): Promise<PresignedUpload>;
  /** A short-lived link to read an object as a file of this name, with a type that runs no script. */
  presignGet(input: PresignGetInput): Promise<{ readonly url: string; readonly expires_at: number }>;
  /** Throws while the bucket cannot be reached. */
  ping(bucket: string): Promise<void>;
  close(): void;
}

const deleteLimit = 1000;

/** S3 behind our own retries, breaker and time limits. Throws ManuelError only. */
export function createS3(deps: {
  readonly settings: Pick<Settings, 'region' | 'pool' | 'storage'>;
  readonly resilience: Resilience;
}): S3 {
  const { settings, resilience } = deps;
  const client = new S3Client(s3ClientOptions(settings));
  // The host is part of a link's signature, so links are signed for the address that clients know.
  const publicEndpoint = settings.storage.public_endpoint;
  const linkClient =
    publicEndpoint === '' ? client : new S3Client({ ...s3ClientOptions(settings), endpoint: publicEndpoint });
  const kmsKeyId = settings.storage.kms_key_id;
  const encryption =
    kmsKeyId === ''
      ? { ServerSideEncryption: 'AES256' as const }
      : { ServerSideEncryption: 'aws:kms' as const, SSEKMSKeyId: kmsKeyId, BucketKeyEnabled: true };

  const call = <T>(operation: string, caller: AbortSignal | undefined, work: (signal: AbortSignal) => Promise<T>) =>
    resilience.call({ upstream: 's3', operation, ...(caller ? { signal: caller } : {}) }, work);

  async function open(input: GetObjectInput, signal: AbortSignal) {
    const output = await client
      .send(
        new GetObjectCommand({
          Bucket: input.bucket,
          Key: input.key,
          ...(input.ifMatch === undefined ? {} : { IfMatch: input.ifMatch }),
        }),
        { abortSignal: signal },
      )
      .catch(expected);
    if (output === 'missing' || output === 'changed') return output;
    // In Node the SDK's body is always a Readable.
    return { stream: output.Body as Readable, facts: factsOf(input.key, output) };
  }

  async function* list(bucket: string, prefix: string, caller?: AbortSignal) {
    let token: string | undefined;
    do {
      const continuation = token === undefined ? {} : { ContinuationToken: token };
      const page = await call('ListObjectsV2', caller, (signal) =>
        client.send(new ListObjectsV2Command({ Bucket: bucket, Prefix: prefix, ...continuation }), {
          abortSignal: signal,
        }),
      );
      for (const { Key, Size, ETag, LastModified } of page.Contents ?? []) {
        if (Key === undefined) continue;
        yield { key: Key, size: Size ?? 0, etag: unquoted(ETag), last_modified: LastModified?.getTime() ?? 0 };
      }
      token = page.NextContinuationToken;
    } while (token !== undefined);
  }

  return {
    putObject: ({ bucket, key, body, contentType, signal: caller }) =>
      call('PutObject', caller, async (signal) => {
        const file = typeof body === 'object' && 'path' in body ? body : undefined;
        const content = file
          ? { Body: createReadStream(file.path), ContentLength: file.size }
          : { Body: body as Uint8Array | string };
        const output = await client.send(
          new PutObjectCommand({ Bucket: bucket, Key: key, ContentType: contentType, ...encryption, ...content }),
          { abortSignal: signal },
        );
        return { etag: unquoted(output.ETag) };
      }),

    async getObject(input) {
      const found = await call('GetObject', input.signal, async (signal) => {
        const opened = await open(input, signal);
        if (opened === 'missing' || opened === 'changed') return opened;
        if (opened.facts.size > input.maxBytes) {
          opened.stream.destroy();
          return 'too large';
        }
        return { bytes: await buffer(opened.stream), facts: opened.facts };
      });
      if (found === 'missing') return undefined;
      if (found === 'changed') throw changed();
      if (found === 'too large') {
        throw new ManuelError('payload_too_large', `The file is larger than the ${input.maxBytes} bytes allowed.`);
      }
      return found;
    },

    async getObjectStream(input) {
      const found = await call('GetObject', input.signal, () =>
        // The stream outlives this call, so it hangs on the caller's signal, not on the call's own.
        open(input, input.signal ?? new AbortController().signal),
      );
      if (found === 'missing') return undefined;
      if (found === 'changed') throw changed();
      return found;
    },

    headObject: ({ bucket, key, signal: caller }) =>
      call('HeadObject', caller, async (signal) => {
        const output = await client
          .send(new HeadObjectCommand({ Bucket: bucket, Key: key }), { abortSignal: signal })
          .catch(expected);
        return typeof output === 'string' ? undefined : factsOf(key, output);
      }),

    async deleteObjects(bucket, keys, caller) {
      for (let start = 0; start < keys.length; start += deleteLimit) {
        const batch = keys.slice(start, start + deleteLimit).map((Key) => ({ Key }));
        await call('DeleteObjects', caller, async (signal) => {
          const output = await client.send(
            new DeleteObjectsCommand({ Bucket: bucket, Delete: { Objects: batch, Quiet: true } }),
            { abortSignal: signal },
          );
          const [failed] = output.Errors ?? [];
          if (failed) {
            throw new ManuelError('upstream_failed', 'Some files could not be deleted from the store. Try again.', {
              cause: new Error(`DeleteObjects: ${failed.Code ?? 'unknown'} on ${output.Errors?.length ?? 0} keys`),
            });
          }
        });
      }
    },

    listObjects: list,

    async copyObject({ from, to, contentType, signal: caller }) {
      const outcome = await call('CopyObject', caller, (signal) =>
        client
          .send(
            new CopyObjectCommand({
              Bucket: to.bucket,
              Key: to.key,
              CopySource: `${from.bucket}/${from.key.split('/').map(encodeURIComponent).join('/')}`,
              MetadataDirective: 'REPLACE',
              ContentType: contentType,
              ...(from.ifMatch === undefined ? {} : { CopySourceIfMatch: from.ifMatch }),
              ...encryption,
            }),
            { abortSignal: signal },
          )
          .catch(expected),
      );
      if (outcome === 'changed') throw changed();
      return outcome !== 'missing';
    },

    presignPut: (input) => presignPut(linkClient, settings.storage, encryption, input),
    presignGet: (input) => presignGet(linkClient, settings.storage, input),
    async ping(bucket) {
      await call('HeadBucket', undefined, (signal) =>
        client.send(new HeadBucketCommand({ Bucket: bucket }), { abortSignal: signal }),
      );
    },
    close: () => client.destroy(),
  };
}

/** What is no failure of S3 but an answer: the object is not there, or it is another than the one asked for. */
function expected(error: unknown): 'missing' | 'changed' {
  if (error instanceof S3ServiceException) {
    const { name } = error;
    const status = error.$metadata.httpStatusCode;
    if (name === 'NoSuchKey' || name === 'NotFound' || (status === 404 && name !== 'NoSuchBucket')) return 'missing';
    if (name === 'PreconditionFailed' || status === 412) return 'changed';
  }
  throw error;
}

const changed = (): ManuelError =>
  new ManuelError('upload_mismatch', 'The uploaded file was replaced after it was announced. Upload it again.');

function factsOf(
  key: string,
  output: {
    ContentLength?: number | undefined;
    ETag?: string | undefined;
    ContentType?: string | undefined;
    LastModified?: Date | undefined;
  },
): ObjectFacts {
  return {
    key,
    size: output.ContentLength ?? 0,
    etag: unquoted(output.ETag),
    content_type: output.ContentType ?? 'application/octet-stream',
    last_modified: output.LastModified?.getTime() ?? 0,
  };
}

const unquoted = (etag: string | undefined): string => (etag ?? '').replaceAll('"', '');

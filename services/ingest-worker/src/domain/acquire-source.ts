import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { join } from 'node:path';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { ManuelError } from '@manuel/contracts';
import type { ManualRow } from '@manuel/ledger';
import { isOwnStagingKey } from '@manuel/media';
import type { FetchedSource, Outside, Work } from './outside.ts';

export interface Acquired extends FetchedSource {
  /** Where the bytes lie on this machine. */
  readonly path: string;
  /** True when they come from the stored manual itself. */
  readonly stored: boolean;
}

/**
 * Brings the manual's bytes into a file: from the client's upload, from an address, or from what is stored already. Throws
 * `upload_missing`, `upload_mismatch`, `payload_too_large`, `fetch_refused` and `fetch_failed`.
 */
export async function acquireSource(
  outside: Outside,
  work: Work<'ingest'>,
  row: ManualRow,
  folder: string,
): Promise<Acquired> {
  const { source } = work.payload;
  const path = join(folder, 'manual');
  const bucket = outside.settings.storage.manuals_bucket;
  if (source.kind === 'object') {
    if (!isOwnStagingKey(outside.settings.storage, work.userId, source.key)) throw missing();
    const staged = await download(outside, { bucket, key: source.key, etag: source.etag }, path, work.signal);
    if (staged) return { ...staged, path, stored: false };
    // The upload is removed when the manual is ready: this is a run of a job that had come far before.
  }
  if (row.s3_key !== undefined) {
    const stored = await download(outside, { bucket, key: row.s3_key }, path, work.signal);
    if (stored) return { ...stored, path, stored: true };
  }
  const url = source.kind === 'url' ? source.url : row.source_url;
  if (url === undefined) throw missing();
  return { ...(await outside.fetchSource(url, path, work.signal)), path, stored: false };
}

const missing = (): ManuelError =>
  new ManuelError('upload_missing', 'The uploaded file is no longer there. Upload the manual again.');

async function download(
  outside: Outside,
  object: { bucket: string; key: string; etag?: string | undefined },
  path: string,
  signal: AbortSignal,
): Promise<FetchedSource | undefined> {
  const { bucket, key, etag } = object;
  const opened = await outside.s3.getObjectStream({
    bucket,
    key,
    signal,
    ...(etag === undefined ? {} : { ifMatch: etag }),
  });
  if (!opened) return undefined;
  return saveStream(opened.stream, path, outside.settings.ingest.max_size_mb, signal);
}

/** Writes a stream to a file and hashes it on the way. Throws `payload_too_large` as soon as it is longer than allowed. */
export async function saveStream(
  stream: NodeJS.ReadableStream,
  path: string,
  maxMb: number,
  signal: AbortSignal,
): Promise<{ bytes: number; sha256: string }> {
  const hash = createHash('sha256');
  let bytes = 0;
  const meter = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      bytes += chunk.length;
      if (bytes > maxMb * 1024 * 1024) {
        done(
          new ManuelError(
            'payload_too_large',
            `The manual is larger than the ${maxMb} MB allowed. Split it and upload the parts.`,
          ),
        );
        return;
      }
      hash.update(chunk);
      done(null, chunk);
    },
  });
  await pipeline(stream, meter, createWriteStream(path), { signal });
  return { bytes, sha256: hash.digest('hex') };
}

import { createReadStream, createWriteStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { manualKey, sidecarKey } from '@manuel/media';
import type { ManualFacts } from '@manuel/media';
import type { ManualRow } from '@manuel/ledger';
import type { Outside } from './outside.ts';
import { sidecarOf } from './sidecar.ts';

/**
 * Stores a manual and its sidecar and answers the key. The sidecar first: from then on the object is never there without its
 * owner's name beside it, even if this process dies between the two or an ingestion job scans the bucket just then.
 */
export async function storeManual(
  outside: Outside,
  row: ManualRow,
  file: { readonly path: string; readonly facts: ManualFacts },
  signal: AbortSignal,
): Promise<string> {
  const { storage } = outside.settings;
  const { facts } = file;
  const owner = { userId: row.user_id, manualId: row.manual_id };
  const key = row.s3_key ?? manualKey(storage, owner, row.filename, facts.format);
  const bucket = storage.manuals_bucket;
  await writeSidecar(outside, row, key, facts.format, signal);
  const body = await toUtf8(file);
  await outside.s3.putObject({ bucket, key, body, contentType: facts.content_type, signal });
  return key;
}

export async function writeSidecar(
  outside: Outside,
  row: ManualRow,
  key: string,
  format: string,
  signal?: AbortSignal,
): Promise<void> {
  await outside.s3.putObject({
    bucket: outside.settings.storage.manuals_bucket,
    key: sidecarKey(key),
    body: sidecarOf(row, format),
    contentType: 'application/json',
    ...(signal ? { signal } : {}),
  });
}

/** Search reads UTF-8 alone, so texts in older encodings are stored as that. Answers the file to store. */
async function toUtf8({
  path,
  facts,
}: {
  readonly path: string;
  readonly facts: ManualFacts;
}): Promise<{ path: string; size: number }> {
  if (facts.encoding === 'utf-8') return { path, size: facts.bytes };
  const decoder = new TextDecoder(facts.encoding);
  const target = `${path}.utf8`;
  await pipeline(
    createReadStream(path),
    async function* (chunks: AsyncIterable<Buffer>) {
      for await (const chunk of chunks) yield decoder.decode(chunk, { stream: true });
      yield decoder.decode();
    },
    createWriteStream(target),
  );
  return { path: target, size: (await stat(target)).size };
}

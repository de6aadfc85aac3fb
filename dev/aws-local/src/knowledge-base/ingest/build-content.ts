import { createHash } from 'node:crypto';
import { parseDocument } from '../documents/parse-document.ts';
import { parseInWorker } from '../documents/parse-in-worker.ts';
import { UnreadableDocumentError, type ParsedDocument } from '../documents/parsed-document.ts';
import { cutPassages } from '../passages/cut-passages.ts';
import type { DocumentContent } from '../store/document-record.ts';
import type { Metadata } from '../types.ts';
import { parseSidecar } from './read-sidecar.ts';
import { parseS3Uri } from './s3-uri.ts';

/** Bedrock's limit for a file. */
const MAX_DOCUMENT_BYTES = 50 * 1024 * 1024;
/** Plain text this small is read faster here than a thread starts. */
const INLINE_BYTES = 256 * 1024;
const PLAIN = /\.(txt|md|csv)$/i;

export interface ContentSource {
  readonly uri: string;
  readonly metadataUri: string;
}

export interface ContentReader {
  readObject(bucket: string, key: string): Promise<Buffer | undefined>;
  readonly parseTimeoutMs: number;
}

export interface BuiltContent {
  readonly content: DocumentContent;
  readonly objectHash: string;
  /** Absent when there is no sidecar. */
  readonly metadataHash: string | undefined;
}

/** The document is at fault (`statusReason`); `ignored` when Bedrock would not even try it. */
export class RejectedDocumentError extends Error {
  override readonly name = 'RejectedDocumentError';
  readonly status: 'FAILED' | 'IGNORED';
  constructor(status: 'FAILED' | 'IGNORED', reason: string, options?: ErrorOptions) {
    super(reason, options);
    this.status = status;
  }
}

/** Reads a document and its sidecar from S3 as they are now and cuts the text into passages. */
export async function buildContent(source: ContentSource, reader: ContentReader): Promise<BuiltContent> {
  // The sidecar first: text is never read for an owner who is not known to be its owner.
  const sidecar = await readUri(source.metadataUri, reader);
  const metadata = sidecar === undefined ? {} : readMetadata(sidecar);
  const bytes = await readUri(source.uri, reader);
  if (bytes === undefined) throw new RejectedDocumentError('FAILED', 'The object was not found in Amazon S3.');
  if (bytes.length > MAX_DOCUMENT_BYTES) {
    throw new RejectedDocumentError(
      'IGNORED',
      `The file has ${bytes.length} bytes; at most ${MAX_DOCUMENT_BYTES} are allowed.`,
    );
  }
  const { paged, pages } = await parse(bytes, source.uri, reader.parseTimeoutMs);
  const passages = cutPassages(pages);
  return {
    content: { metadata, paged, pages, passages },
    objectHash: hashOf(bytes),
    metadataHash: sidecar === undefined ? undefined : hashOf(sidecar),
  };
}

export function hashOf(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}

async function readUri(uri: string, reader: ContentReader): Promise<Buffer | undefined> {
  const object = parseS3Uri(uri);
  return object === undefined ? undefined : reader.readObject(object.bucket, object.key);
}

function readMetadata(sidecar: Buffer): Metadata {
  try {
    return parseSidecar(sidecar);
  } catch (cause) {
    throw new RejectedDocumentError('FAILED', cause instanceof Error ? cause.message : String(cause), { cause });
  }
}

async function parse(bytes: Buffer, uri: string, timeoutMs: number): Promise<ParsedDocument> {
  const inline = bytes.length <= INLINE_BYTES && PLAIN.test(uri);
  try {
    return inline ? await parseDocument(bytes, uri) : await parseInWorker(bytes, uri, timeoutMs);
  } catch (cause) {
    if (cause instanceof UnreadableDocumentError) throw new RejectedDocumentError('FAILED', cause.message, { cause });
    throw cause;
  }
}

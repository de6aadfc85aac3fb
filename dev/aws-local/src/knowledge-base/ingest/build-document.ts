import { createHash } from 'node:crypto';
import { parseDocument } from '../documents/parse-document.ts';
import { parseInWorker } from '../documents/parse-in-worker.ts';
import { UnreadableDocumentError, type ParsedDocument } from '../documents/parsed-document.ts';
import { cutPassages } from '../passages/cut-passages.ts';
import type { DocumentContent, DocumentRecord } from '../store/document-record.ts';
import { passageText, type Metadata } from '../types.ts';
import type { Embedder } from '../vectors/embedder.ts';
import { encodeVector } from '../vectors/encode-vector.ts';
import { parseSidecar } from './read-sidecar.ts';
import { parseS3Uri } from './s3-uri.ts';

/** Bedrock's limit for a file. */
const MAX_DOCUMENT_BYTES = 50 * 1024 * 1024;
/** Plain text this small is read faster here than a thread starts. */
const INLINE_BYTES = 256 * 1024;
const PLAIN = /\.(txt|md|csv)$/i;

export interface BuildOptions {
  readObject(bucket: string, key: string): Promise<Buffer | undefined>;
  readonly parseTimeoutMs: number;
  readonly embedder: Embedder | undefined;
  log(message: string, fields?: Record<string, unknown>): void;
}

/** What became of a document; `content` only when it is INDEXED. */
export interface BuildOutcome {
  readonly status: 'INDEXED' | 'FAILED' | 'IGNORED';
  readonly statusReason?: string;
  readonly content?: DocumentContent;
  /** SHA-256 of what was read; the second only when there is a sidecar. */
  readonly objectHash?: string;
  readonly metadataHash?: string;
}

/** The document is at fault. */
class RejectedDocumentError extends Error {
  override readonly name = 'RejectedDocumentError';
  readonly status: 'FAILED' | 'IGNORED';
  constructor(status: 'FAILED' | 'IGNORED', reason: string, options?: ErrorOptions) {
    super(reason, options);
    this.status = status;
  }
}

/** Reads a document and its sidecar from S3 as they are now, cuts the text into passages and embeds them. Never throws. */
export async function buildDocument(
  record: DocumentRecord,
  options: BuildOptions,
  signal: AbortSignal,
): Promise<BuildOutcome> {
  try {
    return await build(record, options, signal);
  } catch (error) {
    if (error instanceof RejectedDocumentError) return { status: error.status, statusReason: error.message };
    options.log('a document could not be read', { uri: record.uri, error: String(error) });
    return {
      status: 'FAILED',
      statusReason: 'An internal error occurred while the document was read. Ingest it again.',
    };
  }
}

async function build(record: DocumentRecord, options: BuildOptions, signal: AbortSignal): Promise<BuildOutcome> {
  // The sidecar first: text is never read for an owner who is not known to be its owner.
  const sidecar = await readUri(record.metadataUri, options);
  const metadata = sidecar === undefined ? {} : readMetadata(sidecar);
  const bytes = await readUri(record.uri, options);
  if (bytes === undefined) throw new RejectedDocumentError('FAILED', 'The object was not found in Amazon S3.');
  if (bytes.length > MAX_DOCUMENT_BYTES) {
    throw new RejectedDocumentError(
      'IGNORED',
      `The file has ${bytes.length} bytes; at most ${MAX_DOCUMENT_BYTES} are allowed.`,
    );
  }
  const { paged, pages } = await parse(bytes, record.uri, options.parseTimeoutMs);
  const text = { paged, pages, passages: cutPassages(pages) };
  const passages = text.passages.map((passage) => passageText(text, passage));
  const vectors = await options.embedder?.embedPassages(passages, signal);
  const embedded =
    vectors === undefined || options.embedder === undefined
      ? {}
      : { vectors: vectors.map(encodeVector), vectorModel: options.embedder.model };
  return {
    status: 'INDEXED',
    content: { metadata, ...text, ...embedded },
    objectHash: hashOf(bytes),
    ...(sidecar === undefined ? {} : { metadataHash: hashOf(sidecar) }),
  };
}

export function hashOf(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}

async function readUri(uri: string, options: BuildOptions): Promise<Buffer | undefined> {
  const object = parseS3Uri(uri);
  return object === undefined ? undefined : options.readObject(object.bucket, object.key);
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

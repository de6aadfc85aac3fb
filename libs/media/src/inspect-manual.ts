import { open, readFile } from 'node:fs/promises';
import { ManuelError, manualTypes } from '@manuel/contracts';
import type { ManualFormat } from '@manuel/contracts';
import type { Settings } from '@manuel/settings';
import { detectFormat, headBytes } from './detect-format.ts';
import type { Announced } from './detect-format.ts';
import type { TextEncoding } from './extraction/decode-text.ts';
import { extractDocument } from './extraction/extract-document.ts';
import type { ExtractionOptions } from './extraction/extract-document.ts';
import { DocumentError } from './extraction/extracted.ts';
import type { DocumentSummary } from './extraction/summarise.ts';
import { runExtraction } from './extraction/run-extraction.ts';
import type { DocumentSource, ExtractionLimits } from './extraction/run-extraction.ts';

export interface ManualLimits extends ExtractionLimits {
  /** Of the file. */
  readonly maxBytes: number;
  readonly maxPages: number;
}

export interface ManualFacts {
  readonly format: ManualFormat;
  readonly content_type: string;
  /** At least 1; formats without pages count as one. */
  readonly pages: number;
  readonly bytes: number;
  readonly title?: string;
  /** A few words of the document, by which it can be found: to ask whether it is searchable yet. */
  readonly sample: string;
  /** Of a text format; anything but `utf-8` is to be stored as UTF-8, the only one that is searched. */
  readonly encoding: TextEncoding;
}

const inlineBytes = 1024 * 1024;

const contentTypes = Object.fromEntries(Object.entries(manualTypes).map(([type, format]) => [format, type])) as Record<
  ManualFormat,
  string
>;

/** What a manual may cost, from the settings. */
export const manualLimits = ({ ingest }: Pick<Settings, 'ingest'>): ManualLimits => ({
  maxBytes: ingest.max_size_mb * 1024 * 1024,
  maxPages: ingest.max_pages,
  timeoutMs: ingest.parse_timeout_ms,
  memoryMb: ingest.parse_memory_mb,
});

export interface InspectOptions extends Announced {
  readonly limits: ManualLimits;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Says what a manual is: format by its bytes, pages, title. Whatever needs a parser, or is large, is read in a child process
 * that is killed beyond its limits. Throws ManuelError, its detail fit for the user: `document_encrypted`,
 * `document_without_text`, `document_unreadable`, `unsupported_media_type`, `payload_too_large`, `cancelled`.
 */
export async function inspectManual(source: DocumentSource, options: InspectOptions): Promise<ManualFacts> {
  return (await inspect(source, options, false)).facts;
}

/** The same, and the text of each page. */
export async function readManual(
  source: DocumentSource,
  options: InspectOptions,
): Promise<ManualFacts & { readonly textByPage: readonly string[] }> {
  const { facts, textByPage } = await inspect(source, options, true);
  return { ...facts, textByPage };
}

async function inspect(
  source: DocumentSource,
  options: InspectOptions,
  withText: boolean,
): Promise<{ facts: ManualFacts; textByPage: readonly string[] }> {
  const { limits, signal } = options;
  try {
    const { head, bytes } = await readHead(source);
    if (bytes > limits.maxBytes) throw tooLarge(limits.maxBytes);
    const format = detectFormat(head, options);
    const summary = await extract(source, bytes, format, { ...limits, withText }, signal);
    const { pages, title, sample, encoding, readable, textByPage = [] } = summary;
    if (!readable) throw textless(format);
    const content_type = contentTypes[format];
    const facts = { format, content_type, pages, bytes, sample, encoding, ...(title === undefined ? {} : { title }) };
    return { facts, textByPage };
  } catch (error) {
    if (error instanceof DocumentError) throw new ManuelError(error.code, error.message, { cause: error.cause });
    throw error;
  }
}

async function readHead(source: DocumentSource): Promise<{ head: Uint8Array; bytes: number }> {
  if (source instanceof Uint8Array) return { head: source.subarray(0, headBytes), bytes: source.length };
  const file = await open(source.path);
  try {
    const { size } = await file.stat();
    const { buffer, bytesRead } = await file.read(Buffer.alloc(headBytes), 0, headBytes, 0);
    return { head: buffer.subarray(0, bytesRead), bytes: size };
  } finally {
    await file.close();
  }
}

/** Small texts need neither parser nor process: they are only decoded and split. */
async function extract(
  source: DocumentSource,
  bytes: number,
  format: ManualFormat,
  options: ExtractionOptions & ExtractionLimits,
  signal: AbortSignal | undefined,
): Promise<DocumentSummary> {
  const plain = format === 'txt' || format === 'md' || format === 'csv';
  if (!plain || bytes > inlineBytes) return runExtraction(source, format, options, signal);
  return extractDocument(source instanceof Uint8Array ? source : await readFile(source.path), format, options);
}

function textless(format: ManualFormat): DocumentError {
  return new DocumentError(
    'document_without_text',
    format === 'pdf'
      ? 'The PDF holds pictures of pages but no text; it was probably scanned. Run text recognition (OCR) on it and upload the result.'
      : 'The document holds no text. Check that it is the right file.',
  );
}

const tooLarge = (maxBytes: number): DocumentError =>
  new DocumentError(
    'payload_too_large',
    `The manual is larger than the ${Math.round(maxBytes / 1024 / 1024)} MB allowed. Split it and upload the parts.`,
  );

import { open, readFile } from 'node:fs/promises';
import { ManuelError, manualTypes } from '@manuel/contracts';
import type { ManualFormat } from '@manuel/contracts';
import type { Settings } from '@manuel/settings';
import { detectFormat, headBytes } from './detect-format.ts';
import type { Announced } from './detect-format.ts';
import { decodeText, encodingOf } from './extraction/decode-text.ts';
import type { TextEncoding } from './extraction/decode-text.ts';
import { extractText } from './extraction/extract-text.ts';
import { DocumentError } from './extraction/extracted.ts';
import type { Extracted } from './extraction/extracted.ts';
import { runExtraction } from './extraction/run-extraction.ts';
import type { DocumentSource, ExtractionLimits } from './extraction/run-extraction.ts';

export interface ManualLimits extends ExtractionLimits {
  /** Of the file. */
  readonly maxBytes: number;
}

export interface ManualFacts {
  readonly format: ManualFormat;
  readonly content_type: string;
  /** At least 1; formats without pages count as one. */
  readonly pages: number;
  readonly bytes: number;
  readonly title?: string;
  /** Words from the middle of the document, by which it can be found: to ask whether it is searchable yet. */
  readonly sample: string;
  /** Of a text format; anything but `utf-8` is to be stored as UTF-8, the only one that is searched. */
  readonly encoding: TextEncoding;
  /** The text of each page. */
  readonly textByPage: readonly string[];
}

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

/**
 * Says what a manual is: format by its bytes, pages, title, text. Formats that need a parser are read in a child process that
 * is killed beyond its limits. Throws ManuelError, its detail fit for the user: `document_encrypted`, `document_without_text`,
 * `document_unreadable`, `unsupported_media_type`, `payload_too_large`, `cancelled`.
 */
export async function inspectManual(
  source: DocumentSource,
  options: Announced & { readonly limits: ManualLimits; readonly signal?: AbortSignal | undefined },
): Promise<ManualFacts> {
  const { limits, signal } = options;
  try {
    const { head, bytes } = await readHead(source);
    if (bytes > limits.maxBytes) throw tooLarge(limits.maxBytes);
    const format = detectFormat(head, options);
    const { extracted, encoding } = await extract(source, format, limits, signal);
    const letters = countLetters(extracted.pages);
    if (isTextless(letters, extracted.pages.length)) throw textless(format);
    return {
      format,
      content_type: contentTypes[format],
      pages: extracted.pages.length,
      bytes,
      ...(extracted.title === undefined ? {} : { title: extracted.title }),
      sample: sampleOf(extracted.pages),
      encoding,
      textByPage: extracted.pages,
    };
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

async function extract(
  source: DocumentSource,
  format: ManualFormat,
  limits: ManualLimits,
  signal: AbortSignal | undefined,
): Promise<{ extracted: Extracted; encoding: TextEncoding }> {
  if (format === 'pdf' || format === 'docx') {
    return { extracted: await runExtraction(source, format, limits, signal), encoding: 'utf-8' };
  }
  const bytes = source instanceof Uint8Array ? source : await readFile(source.path);
  if (format === 'html') {
    return { extracted: await runExtraction(source, format, limits, signal), encoding: encodingOf(bytes) };
  }
  // Plain text needs no parser: it is only decoded and split.
  const { text, encoding } = decodeText(bytes);
  return { extracted: extractText(text, format, limits.maxPages), encoding };
}

function countLetters(pages: readonly string[]): number {
  let letters = 0;
  for (const page of pages) letters += page.match(/[\p{L}\p{N}]/gu)?.length ?? 0;
  return letters;
}

/** Nothing at all, or no more than page numbers and stamps on scanned pages. */
const isTextless = (letters: number, pages: number): boolean => letters === 0 || (pages >= 4 && letters < pages * 8);

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

const sampleWords = 24;

function sampleOf(pages: readonly string[]): string {
  let longest = '';
  for (const page of pages) if (page.length > longest.length) longest = page;
  const words = longest.slice(0, 20_000).match(/[\p{L}\p{N}]{4,30}/gu) ?? longest.match(/[\p{L}\p{N}]+/gu) ?? [];
  return [...new Set(words)].slice(0, sampleWords).join(' ');
}

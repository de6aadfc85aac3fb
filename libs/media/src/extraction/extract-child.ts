import { buffer } from 'node:stream/consumers';
import { DocumentError } from './extracted.ts';
import type { Extracted, ExtractedFormat, ExtractionAnswer } from './extracted.ts';

/**
 * The child process: reads a document from standard input, writes one ExtractionAnswer to standard output. Started by
 * run-extraction.ts with no environment, no network of its own making, and leave to read nothing but this code.
 *
 * Arguments: format, most pages.
 */
const readers: Record<ExtractedFormat, (bytes: Uint8Array, maxPages: number) => Promise<Extracted>> = {
  pdf: async (bytes, maxPages) => (await import('./extract-pdf.ts')).extractPdf(bytes, maxPages),
  docx: async (bytes, maxPages) => (await import('./extract-docx.ts')).extractDocx(bytes, maxPages),
  html: async (bytes) => (await import('./extract-html.ts')).extractHtml(bytes),
};

async function answer(format: ExtractedFormat, maxPages: number): Promise<ExtractionAnswer> {
  try {
    const bytes = await buffer(process.stdin);
    return { extracted: await readers[format](new Uint8Array(bytes), maxPages) };
  } catch (error) {
    if (error instanceof DocumentError) return { fault: error.code, detail: error.message };
    process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
    return {
      fault: 'document_unreadable',
      detail: 'The document could not be read; it may be damaged. Save it again and upload that.',
    };
  }
}

const [format = '', maxPages = ''] = process.argv.slice(2);
process.stdout.write(`${JSON.stringify(await answer(format as ExtractedFormat, Number(maxPages)))}\n`);

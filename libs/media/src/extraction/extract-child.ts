import { buffer } from 'node:stream/consumers';
import type { ManualFormat } from '@manuel/contracts';
import { extractDocument } from './extract-document.ts';
import { DocumentError } from './extracted.ts';
import type { ExtractionAnswer } from './extracted.ts';

/**
 * The child process: reads a document from standard input, writes one ExtractionAnswer to standard output. Started by
 * run-extraction.ts with no environment and with leave to read nothing but this code.
 *
 * Arguments: format, most pages, `text` when the text is wanted.
 */
async function answer(format: ManualFormat, maxPages: number, withText: boolean): Promise<ExtractionAnswer> {
  try {
    const bytes = await buffer(process.stdin);
    return { summary: await extractDocument(new Uint8Array(bytes), format, { maxPages, withText }) };
  } catch (error) {
    if (error instanceof DocumentError) return { fault: error.code, detail: error.message };
    process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
    return {
      fault: 'document_unreadable',
      detail: 'The document could not be read; it may be damaged. Save it again and upload that.',
    };
  }
}

const [format = '', maxPages = '', text = ''] = process.argv.slice(2);
process.stdout.write(`${JSON.stringify(await answer(format as ManualFormat, Number(maxPages), text === 'text'))}\n`);

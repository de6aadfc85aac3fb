import { parseCsv } from './parse-csv.ts';
import { parseDocx } from './parse-docx.ts';
import { parseHtml } from './parse-html.ts';
import { parsePdf } from './parse-pdf.ts';
import { parseText } from './parse-text.ts';
import { UnreadableDocumentError, type ParsedDocument } from './parsed-document.ts';

type Format = 'pdf' | 'docx' | 'html' | 'csv' | 'text';

const BY_EXTENSION: Readonly<Record<string, Format>> = {
  pdf: 'pdf',
  docx: 'docx',
  html: 'html',
  htm: 'html',
  csv: 'csv',
  txt: 'text',
  md: 'text',
};

/** Reads a document into pages. The bytes decide the format; the key's extension only tells text formats apart. */
export async function parseDocument(bytes: Uint8Array, key: string): Promise<ParsedDocument> {
  const parsed = await parseAs(formatOf(bytes, key), bytes);
  if (parsed.pages.length === 0) throw new UnreadableDocumentError('The document holds no text.');
  return parsed;
}

async function parseAs(format: Format, bytes: Uint8Array): Promise<ParsedDocument> {
  switch (format) {
    case 'pdf':
      return parsePdf(bytes);
    case 'docx':
      return parseDocx(bytes);
    case 'html':
      return parseHtml(decode(bytes));
    case 'csv':
      return parseCsv(decode(bytes));
    case 'text':
      return parseText(decode(bytes));
  }
}

export function formatOf(bytes: Uint8Array, key: string): Format {
  const start = Buffer.from(bytes.subarray(0, 1024)).toString('latin1');
  if (start.includes('%PDF-')) return 'pdf';
  if (start.startsWith('PK\u0003\u0004')) return 'docx';
  const extension = /\.([a-z]+)$/i.exec(key)?.[1]?.toLowerCase() ?? '';
  const named = BY_EXTENSION[extension];
  if (named === 'pdf' || named === 'docx') {
    throw new UnreadableDocumentError(`The file is named .${extension} but its content is not.`);
  }
  if (named === 'csv' || named === 'html') return named;
  return /^\s*(?:<!doctype html|<html)/i.test(start) ? 'html' : 'text';
}

function decode(bytes: Uint8Array): string {
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return new TextDecoder('utf-16le').decode(bytes);
  if (bytes[0] === 0xfe && bytes[1] === 0xff) return new TextDecoder('utf-16be').decode(bytes);
  if (bytes.includes(0)) throw new UnreadableDocumentError('The file is binary and of no supported type.');
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    // Older manuals are often saved in the Windows code page, in which every byte means something.
    return new TextDecoder('windows-1252').decode(bytes);
  }
}

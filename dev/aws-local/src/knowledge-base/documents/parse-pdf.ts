import { getDocumentProxy } from 'unpdf';
import { dropRunningLines } from './drop-running-lines.ts';
import { pageOf, type Line } from './lines.ts';
import { UnreadableDocumentError, type ParsedDocument } from './parsed-document.ts';

interface PdfLine {
  readonly text: string;
  /** Height of the line's largest glyphs in points. */
  readonly height: number;
}

/** A line this much taller than the body text is a heading. */
const HEADING_RATIO = 1.12;
const MAX_HEADING_CHARACTERS = 120;

/** Text, page by page. Throws UnreadableDocumentError when it is encrypted, broken or has no text (scanned pages). */
export async function parsePdf(bytes: Uint8Array): Promise<ParsedDocument> {
  const pdf = await open(bytes);
  try {
    const pages: PdfLine[][] = [];
    for (let number = 1; number <= pdf.numPages; number += 1) {
      const page = await pdf.getPage(number);
      const content = await page.getTextContent();
      pages.push(readLines(content.items));
      page.cleanup();
    }
    return assemble(pages);
  } finally {
    await pdf.cleanup();
  }
}

async function open(bytes: Uint8Array): ReturnType<typeof getDocumentProxy> {
  try {
    // pdf.js takes no Buffer, and takes over the memory of what it is given.
    return await getDocumentProxy(new Uint8Array(bytes), { verbosity: 0 });
  } catch (cause) {
    const encrypted = cause instanceof Error && cause.name === 'PasswordException';
    throw new UnreadableDocumentError(
      encrypted ? 'The PDF is encrypted; remove its password and try again.' : 'The file is no readable PDF.',
      { cause },
    );
  }
}

function readLines(items: readonly object[]): PdfLine[] {
  const lines: PdfLine[] = [];
  let text = '';
  let height = 0;
  const flush = (): void => {
    if (text.trim() !== '') lines.push({ text: text.trim(), height });
    text = '';
    height = 0;
  };
  for (const item of items) {
    if (!('str' in item) || typeof item.str !== 'string') continue;
    text += item.str;
    if (item.str.trim() !== '' && 'height' in item) height = Math.max(height, Number(item.height));
    if ('hasEOL' in item && item.hasEOL === true) flush();
  }
  flush();
  return lines;
}

function assemble(pages: readonly (readonly PdfLine[])[]): ParsedDocument {
  const body = bodyHeight(pages.flat());
  const kept = dropRunningLines(pages, (line) => line.text);
  const result = kept.map((lines, index) =>
    pageOf(
      index + 1,
      lines.map((line): Line => ({ text: line.text, heading: isHeading(line, body) })),
    ),
  );
  const readable = result.filter((page) => page.sentences.length > 0);
  if (readable.length === 0) {
    throw new UnreadableDocumentError(
      'The PDF holds no text; it may be a scan. Run text recognition on it and try again.',
    );
  }
  return { paged: true, pages: readable };
}

function isHeading(line: PdfLine, body: number): boolean {
  return (
    line.height > body * HEADING_RATIO && line.text.length <= MAX_HEADING_CHARACTERS && /\p{L}{2}/u.test(line.text)
  );
}

/** The height in which most characters of the document are set. */
function bodyHeight(lines: readonly PdfLine[]): number {
  const characters = new Map<number, number>();
  for (const line of lines) {
    const height = Math.round(line.height * 2) / 2;
    characters.set(height, (characters.get(height) ?? 0) + line.text.length);
  }
  let best = 0;
  for (const [height, count] of characters) if (count > (characters.get(best) ?? 0)) best = height;
  return best;
}

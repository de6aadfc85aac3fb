import { getDocumentProxy } from 'unpdf';
import { cleanTitle, DocumentError, tooManyPages } from './extracted.ts';
import type { Extracted } from './extracted.ts';

type Pdf = Awaited<ReturnType<typeof getDocumentProxy>>;

const maxHeadingCharacters = 120;
/** Titles that programs write by themselves. */
const meaningless = /^(untitled|document\d*|microsoft word|powerpoint|slide \d|.*\.(docx?|indd|pdf|qxd|fm|ai|pptx?))/i;

/** The text of each page. Throws DocumentError: encrypted, broken, too many pages. */
export async function extractPdf(bytes: Uint8Array, maxPages: number): Promise<Extracted> {
  const pdf = await open(bytes);
  if (pdf.numPages > maxPages) throw tooManyPages(pdf.numPages, maxPages);
  const pages: string[] = [];
  let heading: string | undefined;
  let broken = 0;
  for (let number = 1; number <= pdf.numPages; number += 1) {
    try {
      const page = await readPage(pdf, number);
      pages.push(page.text);
      if (number === 1) heading = page.heading;
    } catch {
      // One damaged page does not make the others useless; a document of nothing else is refused below.
      pages.push('');
      broken += 1;
    }
  }
  if (broken > 0 && broken === pages.length) throw unreadable();
  const title = cleanTitle(await infoTitle(pdf)) ?? cleanTitle(heading);
  return { pages, ...(title === undefined ? {} : { title }) };
}

async function open(bytes: Uint8Array): Promise<Pdf> {
  try {
    return await getDocumentProxy(bytes, { verbosity: 0, disableFontFace: true });
  } catch (cause) {
    if (cause instanceof Error && cause.name === 'PasswordException') {
      throw new DocumentError(
        'document_encrypted',
        'The PDF is protected by a password. Save a copy without the password and upload that.',
        { cause },
      );
    }
    throw unreadable(cause);
  }
}

const unreadable = (cause?: unknown): DocumentError =>
  new DocumentError(
    'document_unreadable',
    'The file is not a readable PDF; it may be damaged or cut off. Open it on your computer, save it again and upload that.',
    { cause },
  );

/** Text of a page, and the line set in the largest type. */
async function readPage(pdf: Pdf, number: number): Promise<{ text: string; heading: string | undefined }> {
  const page = await pdf.getPage(number);
  const { items } = await page.getTextContent();
  const lines: string[] = [];
  let line = '';
  let height = 0;
  let heading: { text: string; height: number } | undefined;
  const endLine = (): void => {
    if (line.trim() !== '') {
      lines.push(line);
      const short = line.trim().length <= maxHeadingCharacters;
      if (short && /\p{L}{2}/u.test(line) && height > (heading?.height ?? 0)) heading = { text: line, height };
    }
    line = '';
    height = 0;
  };
  for (const item of items) {
    if (!('str' in item)) continue;
    line += item.str;
    if (item.str.trim() !== '') height = Math.max(height, item.height);
    if (item.hasEOL) endLine();
  }
  endLine();
  page.cleanup();
  return { text: lines.join('\n'), heading: heading?.text };
}

async function infoTitle(pdf: Pdf): Promise<string | undefined> {
  const { info } = await pdf.getMetadata();
  const title = 'Title' in info && typeof info.Title === 'string' ? info.Title.trim() : '';
  return title.length < 3 || meaningless.test(title) ? undefined : title;
}

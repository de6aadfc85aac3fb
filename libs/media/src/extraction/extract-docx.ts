import { unzipSync } from 'fflate';
import { decodeEntities } from './decode-entities.ts';
import { cleanTitle, DocumentError, tooManyPages } from './extracted.ts';
import type { Extracted } from './extracted.ts';

const mainPart = 'word/document.xml';
const maxEntries = 10_000;
/** What the parts may unpack to, all together and the one that is read: far above any manual, far below a bomb. */
const maxUnpackedBytes = 512 * 1024 * 1024;
const maxMainBytes = 100 * 1024 * 1024;

/** Text of a Word document; pages end where the author or Word's last rendering broke them. */
export function extractDocx(bytes: Uint8Array, maxPages: number): Extracted {
  const xml = new TextDecoder().decode(readMainPart(bytes));
  const pages: string[] = [''];
  let title: string | undefined;
  let first: string | undefined;
  for (const paragraph of paragraphsOf(xml)) {
    const [head = '', ...following] = splitPages(paragraph);
    pages[pages.length - 1] += `${head}\n`;
    for (const text of following) pages.push(`${text}\n`);
    const text = [head, ...following].join(' ').trim();
    if (text === '') continue;
    first ??= text;
    if (title === undefined && /<w:pStyle w:val="(?:heading ?1|title)"/i.test(paragraph)) title = text;
    if (pages.length > maxPages) throw tooManyPages(pages.length, maxPages);
  }
  const shown = cleanTitle(title ?? first);
  return { pages, ...(shown === undefined ? {} : { title: shown }) };
}

function readMainPart(bytes: Uint8Array): Uint8Array {
  const names: string[] = [];
  let unpacked = 0;
  let parts: Record<string, Uint8Array>;
  try {
    // Sizes come from the archive's directory; a directory that lies about them yields a buffer of the size it named, no more.
    parts = unzipSync(bytes, {
      filter: ({ name, originalSize }) => {
        names.push(name);
        unpacked += originalSize;
        const main = name === mainPart;
        if (names.length > maxEntries || unpacked > maxUnpackedBytes || (main && originalSize > maxMainBytes))
          throw bomb();
        return main;
      },
    });
  } catch (cause) {
    if (cause instanceof DocumentError) throw cause;
    throw new DocumentError(
      'document_unreadable',
      'The Word document is damaged or cut off. Open it on your computer, save it again and upload that.',
      { cause },
    );
  }
  const main = parts[mainPart];
  if (main !== undefined) return main;
  throw new DocumentError(
    'unsupported_media_type',
    `The file is ${kindOf(names)}. Save it as PDF or DOCX and upload that.`,
  );
}

const bomb = (): DocumentError =>
  new DocumentError('document_unreadable', 'The file unpacks to far more than a manual needs and was not opened.');

function kindOf(names: readonly string[]): string {
  if (names.some((name) => name.startsWith('xl/'))) return 'an Excel workbook';
  if (names.some((name) => name.startsWith('ppt/'))) return 'a PowerPoint presentation';
  if (names.includes('META-INF/container.xml')) return 'an e-book (EPUB)';
  if (names.includes('mimetype')) return 'an OpenDocument file';
  return 'a ZIP archive, not a Word document';
}

/** `<w:p>` elements one after the other, found by plain search so that no input makes it slow. */
function* paragraphsOf(xml: string): Generator<string> {
  const start = /<w:p[ >]/g;
  for (let opening = start.exec(xml); opening !== null; opening = start.exec(xml)) {
    const end = xml.indexOf('</w:p>', opening.index);
    if (end < 0) return;
    yield xml.slice(opening.index, end);
    start.lastIndex = end;
  }
}

const piece =
  /<w:t(?: [^>]*)?>([^<]*)<\/w:t>|<w:(tab|cr)\b[^>]*\/>|<w:br\b([^>]*)\/>|<w:(lastRenderedPageBreak)\b[^>]*\/>/g;

function splitPages(paragraph: string): string[] {
  const parts = [''];
  for (const [, text, space, lineBreak, rendered] of paragraph.matchAll(piece)) {
    if (rendered !== undefined || /w:type="page"/.test(lineBreak ?? '')) parts.push('');
    else
      parts.push(
        (parts.pop() ?? '') + (text === undefined ? (space === undefined ? '\n' : ' ') : decodeEntities(text)),
      );
  }
  return parts;
}

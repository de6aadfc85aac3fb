import { unzipSync } from 'fflate';
import { decodeEntities } from './decode-entities.ts';
import { pageOf, sectionsOf, type Line } from './lines.ts';
import { UnreadableDocumentError, type ParsedDocument } from './parsed-document.ts';

const MAIN_PART = 'word/document.xml';
/** A zip bomb's main part is refused before it is unpacked. */
const MAX_UNPACKED_BYTES = 256 * 1024 * 1024;

const PARAGRAPH = /<w:p[ >][\s\S]*?<\/w:p>/g;
const HEADING_STYLE = /<w:pStyle w:val="(?:heading\s?\d|title)"/i;
const PIECE =
  /<w:t(?: [^>]*)?>([\s\S]*?)<\/w:t>|<w:(tab|cr)\b[^>]*\/>|<w:br\b([^>]*)\/>|<w:(lastRenderedPageBreak)\b[^>]*\/>/g;

/** Word documents; pages are where the author broke them or where Word last rendered a break. */
export function parseDocx(bytes: Uint8Array): ParsedDocument {
  const xml = new TextDecoder().decode(readMainPart(bytes));
  const pages: Line[][] = [[]];
  for (const [paragraph] of xml.matchAll(PARAGRAPH)) {
    const heading = HEADING_STYLE.test(paragraph);
    const parts = readParagraph(paragraph);
    for (const [index, text] of parts.entries()) {
      if (index > 0) pages.push([]);
      pages.at(-1)?.push({ text, heading: heading && text.trim() !== '' });
    }
  }
  const [only] = pages;
  if (pages.length === 1 && only !== undefined) return { paged: false, pages: sectionsOf(only) };
  return {
    paged: true,
    pages: pages.map((lines, index) => pageOf(index + 1, lines)).filter((page) => page.sentences.length > 0),
  };
}

function readMainPart(bytes: Uint8Array): Uint8Array {
  try {
    const parts = unzipSync(bytes, {
      filter: (file) => file.name === MAIN_PART && file.originalSize <= MAX_UNPACKED_BYTES,
    });
    const main = parts[MAIN_PART];
    if (main !== undefined) return main;
  } catch (cause) {
    throw new UnreadableDocumentError('The Word document is damaged or is not a zip archive.', { cause });
  }
  throw new UnreadableDocumentError('The file is no Word document, or one that is too large.');
}

/** The paragraph's text, split where a page breaks inside it. */
function readParagraph(xml: string): string[] {
  const parts = [''];
  const append = (text: string): void => {
    parts.push(`${parts.pop() ?? ''}${text}`);
  };
  for (const [, text, space, lineBreak, rendered] of xml.matchAll(PIECE)) {
    if (text !== undefined) append(decodeEntities(text));
    else if (space !== undefined) append(' ');
    else if (rendered !== undefined || /w:type="page"/.test(lineBreak ?? '')) parts.push('');
    else append('\n');
  }
  return parts;
}

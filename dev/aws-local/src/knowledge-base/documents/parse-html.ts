import { decodeEntities } from './decode-entities.ts';
import { collapse, sectionsOf, type Line } from './lines.ts';
import type { ParsedDocument } from './parsed-document.ts';

const INVISIBLE = /<(script|style|template|noscript|head|svg)\b[\s\S]*?<\/\1\s*>|<!--[\s\S]*?-->/gi;
const TITLE = /<title[^>]*>([\s\S]*?)<\/title\s*>/i;
const HEADING = /<h[1-6]\b[^>]*>([\s\S]*?)<\/h[1-6]\s*>/gi;
const BLOCK =
  /<\/?(p|div|section|article|header|footer|main|nav|ul|ol|li|dl|dt|dd|table|tr|pre|blockquote|br|hr|form)\b[^>]*>/gi;
const TAG = /<[^>]*>/g;
const HEADING_MARK = '\uE000';

/** HTML has no pages: its sections follow the headings. */
export function parseHtml(source: string): ParsedDocument {
  const title = TITLE.exec(source)?.[1];
  const marked = source
    .replaceAll(INVISIBLE, ' ')
    .replaceAll(/[\n\r\t\f\uE000]+/g, ' ')
    .replaceAll(HEADING, (_, inner: string) => `\n${HEADING_MARK}${inner.replaceAll(TAG, ' ')}\n`)
    .replaceAll(/<\/t[dh]\s*>/gi, ' ')
    .replaceAll(BLOCK, '\n')
    .replaceAll(TAG, '');
  const lines: Line[] = marked.split('\n').map((line) => ({
    text: collapse(decodeEntities(line.replaceAll(HEADING_MARK, ''))),
    heading: line.startsWith(HEADING_MARK),
  }));
  const body = lines.filter((line) => line.text !== '');
  const first: Line[] = title === undefined ? [] : [{ text: collapse(decodeEntities(title)), heading: true }];
  return { paged: false, pages: sectionsOf(body.length === 0 ? [] : [...first, ...body]) };
}

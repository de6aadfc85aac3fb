import { pageOf, sectionsOf, type Line } from './lines.ts';
import type { ParsedDocument } from './parsed-document.ts';

/** A form feed ends a page, as in the output of `pdftotext`; pages count from 1 and may be empty. */
const PAGE_BREAK = '\f';

const MARKDOWN_HEADING = /^#{1,6}\s+(.*?)\s*#*$/;
const NUMBERED_HEADING = /^\d{1,2}(\.\d{1,2}){0,3}\.?\s+\p{Lu}/u;
const UNDERLINE = /^(={3,}|-{3,})$/;
const MAX_HEADING_CHARACTERS = 80;

/** Plain text and Markdown. */
export function parseText(source: string): ParsedDocument {
  const text = source.replace(/^\uFEFF/, '').replaceAll('\r\n', '\n');
  if (!text.includes(PAGE_BREAK)) return { paged: false, pages: sectionsOf(readLines(text)) };
  const pages = text.split(PAGE_BREAK).map((page, index) => pageOf(index + 1, readLines(page)));
  return { paged: true, pages: pages.filter((page) => page.sentences.length > 0) };
}

function readLines(text: string): Line[] {
  const rows = text.split('\n');
  const lines: Line[] = [];
  for (const [index, row] of rows.entries()) {
    if (UNDERLINE.test(row.trim())) continue;
    const markdown = MARKDOWN_HEADING.exec(row);
    if (markdown?.[1] !== undefined) lines.push({ text: markdown[1], heading: true });
    else lines.push({ text: row, heading: isHeading(row, rows[index - 1], rows[index + 1]) });
  }
  return lines;
}

/** A short line that stands alone: underlined, numbered, in capitals, or between blank lines and without a full stop. */
function isHeading(row: string, before: string | undefined, after: string | undefined): boolean {
  const text = row.trim();
  if (text === '' || text.length > MAX_HEADING_CHARACTERS || after === undefined) return false;
  if (UNDERLINE.test(after.trim())) return true;
  if (/[.,;:!]$/.test(text) || !/\p{L}{2}/u.test(text)) return false;
  const alone = (before === undefined || before.trim() === '') && after.trim() === '';
  return alone || (NUMBERED_HEADING.test(text) && text.length < 60) || isCapitals(text);
}

function isCapitals(text: string): boolean {
  return text.length > 3 && text === text.toUpperCase() && text !== text.toLowerCase();
}

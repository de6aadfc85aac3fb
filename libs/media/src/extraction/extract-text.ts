import { cleanTitle, tooManyPages } from './extracted.ts';
import type { Extracted } from './extracted.ts';

/** TXT, Markdown and CSV. A form feed ends a page, as in what `pdftotext` writes; none means one page. */
export function extractText(text: string, format: 'txt' | 'md' | 'csv', maxPages: number): Extracted {
  const pages = format === 'csv' ? [text] : text.split('\f');
  // pdftotext ends the last page, too.
  if (pages.length > 1 && pages.at(-1)?.trim() === '') pages.pop();
  if (pages.length > maxPages) throw tooManyPages(pages.length, maxPages);
  const title = format === 'csv' ? undefined : cleanTitle(titleOf(pages[0] ?? '', format));
  return { pages, ...(title === undefined ? {} : { title }) };
}

function titleOf(page: string, format: 'txt' | 'md'): string | undefined {
  const start = page.slice(0, 4000);
  const heading = format === 'md' ? /^#{1,6}[ \t]+(.+)$/m.exec(start)?.[1] : undefined;
  return heading ?? start.split('\n').find((line) => line.trim() !== '');
}

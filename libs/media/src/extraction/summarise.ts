import type { TextEncoding } from './decode-text.ts';
import type { Extracted } from './extracted.ts';

/** What is told of a document's text; the text itself only to those who ask. */
export interface DocumentSummary {
  /** At least 1. */
  readonly pages: number;
  readonly title?: string;
  /** False for nothing at all, or no more than page numbers and stamps on scanned pages. */
  readonly readable: boolean;
  /** A few words of the fullest page. */
  readonly sample: string;
  readonly encoding: TextEncoding;
  readonly textByPage?: readonly string[];
}

const sampleWords = 12;
const lettersOfAPage = 8;
const fewPages = 3;

export function summarise(extracted: Extracted, encoding: TextEncoding, withText: boolean): DocumentSummary {
  const { pages, title } = extracted;
  const least = pages.length <= fewPages ? 1 : pages.length * lettersOfAPage;
  return {
    pages: pages.length,
    ...(title === undefined ? {} : { title }),
    readable: hasLetters(pages, least),
    sample: sampleOf(pages),
    encoding,
    ...(withText ? { textByPage: pages } : {}),
  };
}

/** Counts no further than it must: a page may be fifty megabytes. */
function hasLetters(pages: readonly string[], least: number): boolean {
  let letters = 0;
  for (const page of pages) {
    for (const _letter of page.matchAll(/[\p{L}\p{N}]/gu)) {
      letters += 1;
      if (letters >= least) return true;
    }
  }
  return false;
}

function sampleOf(pages: readonly string[]): string {
  let longest = '';
  for (const page of pages) if (page.length > longest.length) longest = page;
  const start = longest.slice(0, 20_000);
  const words = start.match(/[\p{L}\p{N}]{4,30}/gu) ?? start.match(/[\p{L}\p{N}]+/gu) ?? [];
  return [...new Set(words)].slice(0, sampleWords).join(' ').slice(0, 400);
}

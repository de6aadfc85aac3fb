import type { Page, Passage } from '../types.ts';

/** A passage is long enough to answer from and short enough to cite. */
const TARGET_CHARACTERS = 600;
const MAX_CHARACTERS = 800;
const MIN_CHARACTERS = 250;

/** Groups each page's sentences into passages; a passage never crosses a page. */
export function cutPassages(pages: readonly Page[]): Passage[] {
  return pages.flatMap((page, index) => cutPage(page.sentences).map(([first, end]) => ({ page: index, first, end })));
}

function cutPage(sentences: readonly string[]): [first: number, end: number][] {
  const ranges: [number, number][] = [];
  let first = 0;
  let size = 0;
  for (const [index, sentence] of sentences.entries()) {
    if (size >= MIN_CHARACTERS && size + 1 + sentence.length > TARGET_CHARACTERS) {
      ranges.push([first, index]);
      first = index;
      size = 0;
    }
    size += (size === 0 ? 0 : 1) + sentence.length;
  }
  if (size === 0) return ranges;
  const last = ranges.at(-1);
  if (last === undefined || size >= MIN_CHARACTERS || lengthOf(sentences, last[0], sentences.length) > MAX_CHARACTERS) {
    return [...ranges, [first, sentences.length]];
  }
  // A short rest belongs to what precedes it.
  return [...ranges.slice(0, -1), [last[0], sentences.length]];
}

function lengthOf(sentences: readonly string[], first: number, end: number): number {
  return sentences.slice(first, end).join(' ').length;
}

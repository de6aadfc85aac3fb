import { splitSentences } from '../passages/split-sentences.ts';
import type { Page } from '../types.ts';

/** A line of a page, marked where its format sets it apart as a heading. */
export interface Line {
  readonly text: string;
  readonly heading: boolean;
}

/** A section of a document without pages grows to about this many characters before a heading or paragraph ends it. */
const SECTION_CHARACTERS = 1_600;
const MIN_SECTION_CHARACTERS = 300;

/** A line that ends this early before the right margin ends what it says, even without a full stop. */
const SHORT_LINE = 0.6;
const MIN_LINES_FOR_MARGIN = 5;
/** A line of this many characters reaches the margin, or is a paragraph of its own. */
const FULL_LINE = 60;

/** One page from its lines; words broken at a line's end are joined again. */
export function pageOf(number: number, lines: readonly Line[]): Page {
  const margin = marginOf(lines);
  let text = '';
  for (const line of lines) {
    const trimmed = line.text.trim();
    if (line.heading) text += `\n\n${trimmed}\n\n`;
    else text += trimmed.length < margin * SHORT_LINE ? `${trimmed}\u2029` : `${trimmed}\n`;
  }
  // A short line ends a sentence unless the next one goes on in lower case.
  const joined = text.replaceAll(/\u2029(?=\s*\p{Ll})/gu, '\n').replaceAll('\u2029', '\n\n');
  return {
    number,
    headings: lines.filter((line) => line.heading).map((line) => collapse(line.text)),
    sentences: splitSentences(joined.replaceAll(/(\p{L})-\n(\p{Ll})/gu, '$1$2')),
  };
}

/** Cuts the lines of a document without pages into sections, at headings first and else at paragraphs. */
export function sectionsOf(lines: readonly Line[]): Page[] {
  const sections: Page[] = [];
  let current: Line[] = [];
  let size = 0;
  const flush = (): void => {
    const section = pageOf(sections.length + 1, current);
    if (section.sentences.length > 0) sections.push(section);
    current = [];
    size = 0;
  };
  for (const line of lines) {
    const full = size > SECTION_CHARACTERS || (line.heading && size > MIN_SECTION_CHARACTERS);
    if (full && current.at(-1)?.heading !== true) flush();
    current.push(line);
    size += line.text.length + 1;
  }
  flush();
  return sections;
}

export function collapse(text: string): string {
  return text.replaceAll(/\s+/g, ' ').trim();
}

/** Nine of ten lines are no longer than this; of a few lines the longest, if it is long; 0 where that does not tell. */
function marginOf(lines: readonly Line[]): number {
  const lengths = lines.map((line) => line.text.trim().length).filter((length) => length > 0);
  if (lengths.length < MIN_LINES_FOR_MARGIN) {
    const longest = Math.max(0, ...lengths);
    return longest >= FULL_LINE ? longest : 0;
  }
  return lengths.toSorted((a, b) => a - b)[Math.floor(lengths.length * 0.9)] ?? 0;
}

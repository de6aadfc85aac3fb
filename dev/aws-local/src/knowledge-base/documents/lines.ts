import type { Page } from '../types.ts';

/** A line of a page, marked where its format sets it apart as a heading. */
export interface Line {
  readonly text: string;
  readonly heading: boolean;
}

/** A section of a document without pages grows to about this many characters before the next heading or paragraph splits it. */
const SECTION_CHARACTERS = 1_600;
const MIN_SECTION_CHARACTERS = 300;

/** One page from its lines; words broken at a line's end are joined again. */
export function pageOf(number: number, lines: readonly Line[]): Page {
  const headings = lines.filter((line) => line.heading).map((line) => collapse(line.text));
  const text = lines
    .map((line) => line.text.trim())
    .join('\n')
    .replaceAll(/(\p{L})-\n(\p{Ll})/gu, '$1$2')
    .trim();
  return { number, text, headings: headings.filter((heading) => heading !== '') };
}

/** Cuts the lines of a document without pages into sections, at headings first and else at paragraphs. */
export function sectionsOf(lines: readonly Line[]): Page[] {
  const sections: Page[] = [];
  let current: Line[] = [];
  let size = 0;
  const flush = (): void => {
    const section = pageOf(sections.length + 1, current);
    if (section.text !== '') sections.push(section);
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

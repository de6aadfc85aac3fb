import type { Page, Passage } from '../types.ts';
import { splitSentences } from './split-sentences.ts';

/** A passage is long enough to answer from and short enough to cite. */
const TARGET_CHARACTERS = 600;
const MAX_CHARACTERS = 800;
const MIN_CHARACTERS = 250;

/** Cuts each page into passages of whole sentences; a passage never crosses a page. */
export function splitPassages(pages: readonly Page[]): Passage[] {
  return pages.flatMap((page) => splitPage(page.text).map((text) => ({ page: page.number, text })));
}

function splitPage(text: string): string[] {
  const passages: string[] = [];
  let current = '';
  for (const sentence of splitSentences(text).flatMap(cutLong)) {
    const joined = current === '' ? sentence : `${current} ${sentence}`;
    if (current.length >= MIN_CHARACTERS && joined.length > TARGET_CHARACTERS) {
      passages.push(current);
      current = sentence;
    } else {
      current = joined;
    }
  }
  if (current === '') return passages;
  const last = passages.at(-1);
  if (last !== undefined && current.length < MIN_CHARACTERS && last.length + current.length < MAX_CHARACTERS) {
    return [...passages.slice(0, -1), `${last} ${current}`];
  }
  return [...passages, current];
}

/** Text without sentences (tables, menu paths) is cut between words. */
function cutLong(sentence: string): string[] {
  const pieces: string[] = [];
  let rest = sentence;
  while (rest.length > MAX_CHARACTERS) {
    const space = rest.lastIndexOf(' ', TARGET_CHARACTERS);
    const cut = space > 0 ? space : TARGET_CHARACTERS;
    pieces.push(rest.slice(0, cut));
    rest = rest.slice(cut).trimStart();
  }
  return rest === '' ? pieces : [...pieces, rest];
}

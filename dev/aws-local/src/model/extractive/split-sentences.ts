import { isImperative } from './imperative.ts';

export interface Sentence {
  /** As it reads in an answer: white space joined, the bullet or number of a list item kept. */
  readonly text: string;
  /** The last heading above it in the same text, if any. */
  readonly heading: string;
  /** An item of a list or a numbered step. */
  readonly isItem: boolean;
  readonly isHeading: boolean;
  readonly startsLine: boolean;
}

const ITEM = /^\s*(?:[-–—•●▪◦*·]|\(?\d{1,2}[.)]|[a-z][.)]|step \d+[:.]?)\s+/i;
/** A full stop after these ends no sentence. */
const ABBREVIATION =
  /(?:\b(?:e\.g|i\.e|etc|approx|no|fig|vs|max|min|incl|ca|dr|mr|ms|st|p|pp|vol|sec|tel)\.|(?:^|(?<!\d)\s)\p{Lu}\.)$/iu;
const ITEM_NUMBER = /(?:^|\s)(\d{1,2})\.$/;
const MAX_SENTENCE_CHARACTERS = 600;

/** Splits the text of a manual's page into sentences; lines that are headings or list items stand for themselves. */
export function splitSentences(text: string): Sentence[] {
  const sentences: Sentence[] = [];
  let heading = '';
  for (const line of joinWrappedLines(text)) {
    if (isHeadingLine(line)) {
      heading = line;
      sentences.push({ text: line, heading: '', isItem: false, isHeading: true, startsLine: true });
      continue;
    }
    for (const [index, sentence] of splitLine(line).entries()) {
      const isItem = ITEM.test(sentence);
      const isHeading = !isItem && isTitle(sentence);
      if (isHeading) heading = sentence;
      sentences.push({ text: sentence, heading: isHeading ? '' : heading, isItem, isHeading, startsLine: index === 0 });
    }
  }
  return sentences;
}

/** Lines broken only by the page's width become one; blank lines, list items and headings separate. */
function joinWrappedLines(text: string): string[] {
  const lines: string[] = [];
  let open = false;
  for (const raw of text.split(/\r?\n/)) {
    const line = raw.replace(/\s+/g, ' ').trim();
    if (line === '') {
      open = false;
      continue;
    }
    const last = lines.at(-1);
    const continues =
      open &&
      last !== undefined &&
      !ITEM.test(line) &&
      !/[.!?:]$/.test(last) &&
      (/^[\p{Ll}(]/u.test(line) || (/^\d/.test(line) && last.length > 40) || last.length > 60);
    if (continues) lines[lines.length - 1] = `${last} ${line}`;
    else lines.push(line);
    open = true;
  }
  return lines;
}

function isHeadingLine(line: string): boolean {
  return (
    line.length <= 70 &&
    !/[.!?;,]$/.test(line) &&
    !ITEM.test(line) &&
    line.split(' ').length <= 9 &&
    /\p{L}{3}/u.test(line)
  );
}

/** "Warranty.", "Connecting the antenna.": a heading that text extraction has put into the line. */
function isTitle(sentence: string): boolean {
  const count = sentence.split(' ').length;
  if (count <= 3)
    return (
      /^\p{Lu}\p{L}+(?: \p{L}+)*\.$/u.test(sentence) &&
      !isImperative(sentence) &&
      !/^(?:Yes|No|Never|Not)\b/.test(sentence)
    );
  return (
    count <= 10 &&
    /^\p{Lu}\p{Ll}+ing\b/u.test(sentence) &&
    !/\b(?:is|are|was|will|can|may|must|should|helps?|requires?)\b/.test(sentence)
  );
}

function splitLine(line: string): string[] {
  const sentences: string[] = [];
  let start = 0;
  let item = 0;
  for (const match of line.matchAll(/[.!?]["”’)]?\s+(?=["“(]?[\p{Lu}\d•●▪])/gu)) {
    const end = match.index + match[0].trimEnd().length;
    const sentence = line.slice(start, end).trim();
    if (ABBREVIATION.test(sentence)) continue;
    const number = Number(ITEM_NUMBER.exec(sentence)?.[1]);
    // "2. Pour": the number of a step opens a sentence; "The setting is 5. Oily beans": any other number may end one.
    if (number === item + 1 || sentence === `${number}.`) {
      item = number;
      continue;
    }
    sentences.push(sentence);
    start = end;
  }
  sentences.push(line.slice(start).trim());
  return sentences.filter((sentence) => sentence !== '').flatMap(breakLong);
}

/** Text without full stops (tables, menus) is cut at white space, so that no answer quotes half a page. */
function breakLong(sentence: string): string[] {
  if (sentence.length <= MAX_SENTENCE_CHARACTERS) return [sentence];
  const cut = sentence.lastIndexOf(' ', MAX_SENTENCE_CHARACTERS);
  const at = cut > 0 ? cut : MAX_SENTENCE_CHARACTERS;
  return [sentence.slice(0, at).trim(), ...breakLong(sentence.slice(at).trim())];
}

/** A full stop after these, or after a single letter or a list's number, ends no sentence. */
const ABBREVIATION =
  /(?:^|[\s(])(?:e\.g|i\.e|etc|vs|no|nos|fig|figs|approx|max|min|ca|cf|dr|mr|mrs|st|vol|pp?|[a-z]|\d{1,2})\.$/i;

/** A full stop before a capital or a number, a blank line, or a new line that starts a list item. */
const BOUNDARY = /[.!?]["”’)\]]*\s+(?=["“‘([]?[\p{Lu}\d•–-])|\n{2,}|\n(?=\s*(?:[•▪■●*–-]|\d{1,2}[.)])\s)/gu;

/** Tables and menu trees hold no full stops; they are cut between words. */
const MAX_CHARACTERS = 800;
const CUT_CHARACTERS = 600;

/** Splits a text into sentences, headings and list items with white space collapsed; nothing is left out. */
export function splitSentences(text: string): string[] {
  const sentences: string[] = [];
  let start = 0;
  for (const match of text.matchAll(BOUNDARY)) {
    const end = match.index + match[0].length;
    const candidate = text.slice(start, end).trim();
    if (match[0].startsWith('.') && ABBREVIATION.test(candidate)) continue;
    sentences.push(...cut(candidate));
    start = end;
  }
  sentences.push(...cut(text.slice(start)));
  return sentences;
}

function cut(sentence: string): string[] {
  const pieces: string[] = [];
  let rest = sentence.replaceAll(/\s+/g, ' ').trim();
  while (rest.length > MAX_CHARACTERS) {
    const space = rest.lastIndexOf(' ', CUT_CHARACTERS);
    const end = space > 0 ? space : CUT_CHARACTERS;
    pieces.push(rest.slice(0, end));
    rest = rest.slice(end).trimStart();
  }
  return rest === '' ? pieces : [...pieces, rest];
}

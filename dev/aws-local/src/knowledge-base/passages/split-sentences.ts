/** A full stop after these, or after one letter or digit in a list, ends no sentence. */
const ABBREVIATION =
  /(?:^|[\s(])(?:e\.g|i\.e|etc|vs|no|nos|fig|figs|approx|max|min|ca|cf|dr|mr|mrs|st|vol|p|pp|[a-z]|\d{1,2})\.$/i;

const BOUNDARY = /[.!?]["”’)\]]*\s+(?=["“‘([]?[\p{Lu}\d•–-])|\n{2,}|\n(?=\s*(?:[•▪■●*–-]|\d{1,2}[.)])\s)/gu;

/** Splits a page into sentences (and list items); joined with single spaces they give the page's text again. */
export function splitSentences(text: string): string[] {
  const sentences: string[] = [];
  let start = 0;
  for (const match of text.matchAll(BOUNDARY)) {
    const end = match.index + match[0].length;
    const candidate = text.slice(start, end).trim();
    if (match[0].startsWith('.') && ABBREVIATION.test(candidate)) continue;
    if (candidate !== '') sentences.push(candidate.replaceAll(/\s+/g, ' '));
    start = end;
  }
  const rest = text.slice(start).trim();
  if (rest !== '') sentences.push(rest.replaceAll(/\s+/g, ' '));
  return sentences;
}

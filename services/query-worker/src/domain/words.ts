const fillers = new Set(
  'a an the is are was were be been do does did can could should would will may might must i me my we our you your it its this that these those to of for in at by with and or what which who how when where why there here have has had so if as from about into not any all'.split(
    ' ',
  ),
);

const stem = (word: string): string =>
  word.length > 4 ? word.replace(/(?:ing|ed|es|s)$/u, '').replace(/e$/u, '') : word;

/** The words of a text that carry meaning, stemmed roughly. */
export function contentWords(text: string): Set<string> {
  const words =
    text
      .normalize('NFKC')
      .toLowerCase()
      .match(/[\p{L}\p{N}]+/gu) ?? [];
  return new Set(words.filter((word) => !fillers.has(word)).map(stem));
}

/** Share of `wanted` that `text` holds, 0..1; 0 when nothing is wanted. */
export function coverage(wanted: ReadonlySet<string>, text: string): number {
  if (wanted.size === 0) return 0;
  return wanted.intersection(contentWords(text)).size / wanted.size;
}

/** Where the sentences of a text lie: `[start, end)` without the white space around them. Line ends part sentences too. */
export function sentenceSpans(text: string): [number, number][] {
  const spans: [number, number][] = [];
  for (const match of text.matchAll(/[^\n.!?]*(?:[.!?]+(?=[\p{L}\p{N}])[^\n.!?]*)*(?:[.!?]+["')\]]*|\n|$)/gu)) {
    const start = match.index + (match[0].length - match[0].trimStart().length);
    const end = match.index + match[0].trimEnd().length;
    if (end > start) spans.push([start, end]);
  }
  return spans;
}

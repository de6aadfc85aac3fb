/** Words as they are compared: lower case, without punctuation. */
const wordsOf = (text: string): string[] => text.toLowerCase().match(/[\p{L}\p{N}']+/gu) ?? [];

/** Words that were left out, put in or heard wrongly (Levenshtein distance of words), and words that were said. */
export function wordErrors(said: string, heard: string): { readonly errors: number; readonly words: number } {
  const [from, to] = [wordsOf(said), wordsOf(heard)];
  let row = to.map((_word, index) => index + 1);
  row.unshift(0);
  for (const [index, word] of from.entries()) {
    const next = [index + 1];
    for (const [at, other] of to.entries()) {
      const kept = (row[at] ?? 0) + (word === other ? 0 : 1);
      next.push(Math.min(kept, (row[at + 1] ?? 0) + 1, (next[at] ?? 0) + 1));
    }
    row = next;
  }
  return { errors: row.at(-1) ?? 0, words: from.length };
}

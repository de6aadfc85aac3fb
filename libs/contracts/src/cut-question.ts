/** Longest question that can be asked, in characters as the contract counts them. */
const longest = 2000;

/**
 * What was said, as a question that can be asked: cut at the end of a sentence where one is near, else between words, never
 * inside a character. The end is kept rather than the start: people explain first and ask last.
 */
export function cutQuestion(text: string): string {
  const clean = text.trim();
  if (clean.length <= longest) return clean;
  const tail = clean.slice(-longest);
  const sentence = /[.!?…。？！]\s+/u.exec(tail);
  if (sentence && sentence.index < longest / 2) return tail.slice(sentence.index + sentence[0].length).trim();
  const word = /\s/u.exec(tail);
  // No space at all: languages that write none.
  const start = word && word.index < longest / 2 ? word.index : 0;
  return tail
    .slice(start)
    .trim()
    .replace(/^[\uDC00-\uDFFF]/u, '');
}

import { randomOf, zipfOf } from './random.ts';

const vocabularySize = 8000;
const wordsPerPage = 130;
const syllables = 'ba ce di fo gu ha je ki lo mu na pe ri so tu va we xi yo zu'.split(' ');

/** Words that look like words and differ from each other. */
const word = (k: number): string =>
  [k % 20, Math.floor(k / 20) % 20, Math.floor(k / 400) % 20, 7].map((index) => syllables[index]).join('');

/** A manual without meaning: words distributed as in a language, ten to a sentence, a form feed between pages. */
export function manualText(seed: number, pages: number): string {
  const next = zipfOf(vocabularySize, randomOf(seed + 1));
  return Array.from({ length: pages }, () => {
    const words = Array.from({ length: wordsPerPage }, () => word(next()));
    return words.map((text, at) => (at % 10 === 9 ? `${text}.` : text)).join(' ');
  }).join('\f');
}

/** Six words, common and rare ones. */
export function questionText(seed: number): string {
  const next = zipfOf(vocabularySize, randomOf(1_000_000 + seed));
  return `${Array.from({ length: 6 }, () => word(next())).join(' ')}?`;
}

import { stemmer } from 'stemmer';

const TOKEN = /[\p{L}\p{N}]+(?:['’][\p{L}]+)?/gu;
const MAX_CACHED_STEMS = 50_000;
const stems = new Map<string, string>();

/** Lower-case words of a text without accents and possessives; numbers are words too. */
export function words(text: string): string[] {
  const folded = text.normalize('NFKD').replaceAll(/\p{M}/gu, '').toLowerCase();
  return Array.from(folded.matchAll(TOKEN), ([word]) => word.replace(/['’]s?$|['’]/, ''));
}

/** The Porter stem; manuals repeat their vocabulary, so stems are remembered. */
export function stem(word: string): string {
  const known = stems.get(word);
  if (known !== undefined) return known;
  if (stems.size >= MAX_CACHED_STEMS) stems.clear();
  const result = stemmer(word);
  stems.set(word, result);
  return result;
}

import { stemmer } from 'stemmer';
import { isNumber, kindOfMeasure } from './measures.ts';

const TOKEN = /[\p{L}\p{N}]+(?:['’]\p{L}+)?/gu;
const POSSESSIVE = /['’]s?$/;
const LETTER_OR_NUMBER = /[\p{L}\p{N}]/u;
const MAX_CACHED_STEMS = 50_000;
const stems = new Map<string, string>();

/**
 * Lower-case words of a text without accents and possessives; numbers are words too. Words that a hyphen joins are given
 * apart and together (`wi-fi`: wi, fi, wifi), so that either spelling finds the other.
 * A number with its unit is given as its kind too (`1.4 kg`, `50W`: #weight, #power).
 */
export function words(text: string): string[] {
  const folded = text.normalize('NFKD').replaceAll(/\p{M}/gu, '').toLowerCase();
  const result: string[] = [];
  let before: string | undefined;
  let isCounted = false;
  for (const match of folded.matchAll(TOKEN)) {
    const word = match[0].replace(POSSESSIVE, '').replace(/['’]/, '');
    result.push(word);
    if (before !== undefined) result.push(before + word);
    const kind = kindOfMeasure(word, isCounted);
    if (kind !== undefined) result.push(kind);
    isCounted = isNumber(word);
    const end = match.index + match[0].length;
    before = folded[end] === '-' && LETTER_OR_NUMBER.test(folded[end + 1] ?? '') ? word : undefined;
  }
  return result;
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

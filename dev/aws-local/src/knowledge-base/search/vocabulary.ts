import { editDistance } from '../analysis/edit-distance.ts';
import { prefixOf } from '../analysis/prefix.ts';
import type { DocumentIndex } from './document-index.ts';
import { PARAMETERS } from './parameters.ts';

/** A stem that may stand for another, and how much of it it counts. */
export interface Variant {
  readonly stem: string;
  readonly weight: number;
}

const MIN_CORRECTED_LENGTH = 4;
const LONG_WORD = 8;
/** Parts of a compound have at least this many letters. */
const MIN_PART = 3;

/**
 * The word of these documents that a misspelt one was probably meant to be: same first letter, one edit away or two
 * for long words, the most frequent of the nearest. Undefined when nothing is near.
 */
export function correctSpelling(word: string, indexes: readonly DocumentIndex[]): string | undefined {
  if (word.length < MIN_CORRECTED_LENGTH || /\d/.test(word)) return undefined;
  const allowed = word.length >= LONG_WORD ? 2 : 1;
  const found = new Map<string, { distance: number; count: number }>();
  for (const { spellings } of indexes) {
    for (const [candidate, count] of spellings) {
      if (candidate[0] !== word[0] || Math.abs(candidate.length - word.length) > allowed) continue;
      const known = found.get(candidate);
      const distance = known?.distance ?? editDistance(word, candidate, allowed);
      if (distance <= allowed) found.set(candidate, { distance, count: count + (known?.count ?? 0) });
    }
  }
  const ranked = [...found].toSorted(
    ([wordA, a], [wordB, b]) => a.distance - b.distance || b.count - a.count || (wordA < wordB ? -1 : 1),
  );
  return ranked[0]?.[0];
}

/** Cuts a word in two that are both known, the more evenly the better; the word itself when there is no such cut. */
export function splitCompound(word: string, isKnownWord: (part: string) => boolean): string[] {
  const cuts = Array.from({ length: Math.max(0, word.length - 2 * MIN_PART + 1) }, (_, at) => at + MIN_PART);
  const evenFirst = cuts.toSorted((a, b) => Math.abs(2 * a - word.length) - Math.abs(2 * b - word.length) || a - b);
  for (const cut of evenFirst) {
    const parts = [word.slice(0, cut), word.slice(cut)];
    if (parts.every(isKnownWord)) return parts;
  }
  return [word];
}

/** Stems that begin alike for most of their length, which the stemmer left apart. Sorted by stem. */
export function relativesOf(stemmed: string, indexes: readonly DocumentIndex[]): Variant[] {
  const prefix = prefixOf(stemmed);
  const relatives = new Map<string, number>();
  for (const { stemsByPrefix } of indexes) {
    for (const candidate of stemsByPrefix.get(prefix) ?? []) {
      const likeness =
        candidate === stemmed ? 0 : commonPrefix(stemmed, candidate) / Math.max(stemmed.length, candidate.length);
      if (likeness >= PARAMETERS.minLikeness) relatives.set(candidate, likeness);
    }
  }
  return Array.from(relatives, ([name, likeness]) => ({
    stem: name,
    weight: likeness * PARAMETERS.relativeWeight,
  })).toSorted((a, b) => (a.stem < b.stem ? -1 : 1));
}

function commonPrefix(a: string, b: string): number {
  let length = 0;
  while (length < a.length && a[length] === b[length]) length += 1;
  return length;
}

import { isKindOfMeasure } from '../analysis/measures.ts';
import { findPhrases, type FoundPhrase } from '../analysis/phrases.ts';
import { isLightStem, isStopStem } from '../analysis/stop-words.ts';
import { synonymsOf } from '../analysis/synonyms.ts';
import { stem, words } from '../analysis/tokenize.ts';
import type { DocumentIndex } from './document-index.ts';
import { PARAMETERS } from './parameters.ts';
import { correctSpelling, relativesOf, splitCompound, type Variant } from './vocabulary.ts';

/** One content word of the question with the words that may stand for it. */
export interface Concept {
  readonly stem: string;
  /** The stem itself first, with weight 1. */
  readonly variants: readonly Variant[];
  /** Words of nearly the same form. */
  readonly relatives: readonly Variant[];
  /** Inverse document frequency by sentences of the searched documents. */
  readonly idf: number;
}

export type Pair = readonly [first: number, second: number];

/** Two content words this close belong together. */
export const NEAR = 3;

const MIN_COMPOUND = 5;

export interface Question {
  readonly concepts: readonly Concept[];
  /** Positions in `concepts` of words that follow one another in the question, stop words left out. */
  readonly pairs: readonly Pair[];
  /** Of words that stand at most three apart, in any order. */
  readonly nearPairs: readonly Pair[];
  /** Summed idf of the content words that occur in none of the documents, nor anything that may stand for them. */
  readonly missing: number;
  /** Stop words such as `on`, `off` and `not` matter when all else is equal. */
  readonly stopWords: readonly { readonly stem: string; readonly idf: number }[];
}

/** Reads the question against the vocabulary of the documents to be searched, and of no others. */
export function readQuestion(text: string, indexes: readonly DocumentIndex[]): Question {
  const sentences = indexes.reduce((sum, index) => sum + index.sentenceStarts.length - 1, 0);
  const idfOf = (stemmed: string): number => {
    const frequency = frequencyOf(stemmed, indexes);
    return Math.log(1 + (sentences - frequency + 0.5) / (frequency + 0.5));
  };
  const sequence = joinCompounds(dropUnknownCompounds(askedWords(text), indexes), indexes).flatMap((word) =>
    readWord(word, indexes),
  );
  const contents = sequence.filter((stemmed) => !isStopStem(stemmed));
  const { byStem, others } = assignPhrases(findPhrases(text), new Set(contents));
  contents.push(...others);
  const own = new Set(contents);
  const all = Array.from(own, (stemmed) => conceptOf(stemmed, own, byStem.get(stemmed), indexes, idfOf)).filter(
    (concept) => concept !== undefined,
  );
  const concepts = all.toSorted((a, b) => b.idf - a.idf).slice(0, PARAMETERS.maxConcepts);
  const present = new Set(all.map(({ stem: stemmed }) => stemmed));
  const missing = [...own].filter((stemmed) => !present.has(stemmed)).length * Math.log(2 * sentences + 2);
  return {
    concepts,
    missing,
    pairs: pairsOf(contents, concepts, 1),
    nearPairs: pairsOf(contents, concepts, NEAR),
    stopWords: Array.from(new Set(sequence.filter(isStopStem)), (stemmed) => ({ stem: stemmed, idf: idfOf(stemmed) })),
  };
}

/** What is asked is the measure, whatever its kind is called. */
const askedWords = (text: string): string[] => words(text).filter((word) => !isKindOfMeasure(word));

/** The word's stem, of the word that was meant if it is misspelt, or of its two parts if the manual writes them apart. */
function readWord(word: string, indexes: readonly DocumentIndex[]): string[] {
  const stemmed = stem(word);
  if (isStopStem(stemmed) || isKnown(stemmed, indexes)) return [stemmed];
  const meant = correctSpelling(word, indexes);
  if (meant !== undefined) return [stem(meant)];
  return splitCompound(word, (part) => isKnown(stem(part), indexes)).map(stem);
}

/** `words` gives hyphenated words apart and together; together they are of use only where the manual has them so. */
function dropUnknownCompounds(list: readonly string[], indexes: readonly DocumentIndex[]): string[] {
  return list.filter((word, at) => word !== `${list[at - 2]}${list[at - 1]}` || isKnown(stem(word), indexes));
}

/** Two words that the manual writes as one ("set up" as "setup") are given as one too. */
function joinCompounds(list: readonly string[], indexes: readonly DocumentIndex[]): string[] {
  return list.flatMap((word, at) => {
    const joined = `${word}${list[at + 1] ?? ''}`;
    return joined !== word && joined.length >= MIN_COMPOUND && isKnown(stem(joined), indexes) ? [word, joined] : [word];
  });
}

/** Each phrase to the first of its own words; those without any, or without one that is asked, add a word of their own. */
function assignPhrases(phrases: readonly FoundPhrase[], contents: ReadonlySet<string>) {
  const byStem = new Map<string, FoundPhrase[]>();
  const others: string[] = [];
  for (const phrase of phrases) {
    const head = phrase.own.find((stemmed) => contents.has(stemmed)) ?? phrase.answers[0] ?? phrase.signs[0];
    if (head === undefined) continue;
    if (!contents.has(head)) others.push(head);
    byStem.set(head, [...(byStem.get(head) ?? []), phrase]);
  }
  return { byStem, others };
}

/** Undefined when neither the word nor anything that may stand for it occurs. */
function conceptOf(
  stemmed: string,
  own: ReadonlySet<string>,
  phrases: readonly FoundPhrase[] = [],
  indexes: readonly DocumentIndex[],
  idfOf: (stemmed: string) => number,
): Concept | undefined {
  const isOther = (other: string): boolean => other !== stemmed && !own.has(other) && isKnown(other, indexes);
  const answers = phrases.flatMap((phrase) => phrase.answers).filter(isOther);
  const signs = phrases.flatMap((phrase) => phrase.signs).filter(isOther);
  const synonyms = synonymsOf(stemmed).filter(isOther);
  const relatives = relativesOf(stemmed, indexes).filter((relative) => !own.has(relative.stem));
  const known = isKnown(stemmed, indexes);
  const substitutes = [...synonyms, ...answers, ...signs];
  if (!known && substitutes.length === 0 && relatives.length === 0) return undefined;
  const weights = new Map<string, number>();
  const vary = (others: readonly string[], weight: number): void => {
    for (const other of others) weights.set(other, Math.max(weight, weights.get(other) ?? 0));
  };
  vary(synonyms, known ? PARAMETERS.synonymWeight : PARAMETERS.substituteWeight);
  vary(answers, PARAMETERS.phraseWeight);
  vary(signs, PARAMETERS.signWeight);
  // "How wide" is answered by a width, hardly by the word.
  const ownWeight = signs.some(isKindOfMeasure) ? PARAMETERS.measuredWeight : 1;
  const variants = [
    { stem: stemmed, weight: ownWeight },
    ...Array.from(weights, ([name, weight]) => ({ stem: name, weight })),
  ];
  // A word that does not occur weighs as much as the rarest that stands for it.
  const idf = known
    ? idfOf(stemmed)
    : Math.max(...[...substitutes, ...relatives.map((relative) => relative.stem)].map(idfOf));
  return { stem: stemmed, variants, relatives, idf: isLightStem(stemmed) ? idf * PARAMETERS.lightWeight : idf };
}

function pairsOf(contents: readonly string[], concepts: readonly Concept[], reach: number): Pair[] {
  const positions = new Map(concepts.map((concept, position) => [concept.stem, position]));
  const pairs = new Map<string, Pair>();
  for (const [at, stemmed] of contents.entries()) {
    const first = positions.get(stemmed);
    for (const other of contents.slice(at + 1, at + 1 + reach)) {
      const second = positions.get(other);
      if (first === undefined || second === undefined || first === second) continue;
      const pair: Pair = reach === 1 || first < second ? [first, second] : [second, first];
      pairs.set(pair.join(' '), pair);
    }
  }
  return [...pairs.values()];
}

function frequencyOf(stemmed: string, indexes: readonly DocumentIndex[]): number {
  let frequency = 0;
  for (const index of indexes) {
    const number = index.vocabulary.get(stemmed);
    if (number !== undefined) frequency += index.frequencies[number] ?? 0;
  }
  return frequency;
}

function isKnown(stemmed: string, indexes: readonly DocumentIndex[]): boolean {
  return indexes.some((index) => index.vocabulary.has(stemmed));
}

import type { PageRef } from './collect-candidates.ts';
import type { DocumentIndex } from './document-index.ts';
import { NEAR, type Pair, type Question } from './question.ts';
import { RunningCounts } from './running-counts.ts';

/** A page as seen from the question, sentence by sentence. */
export interface PageHits {
  readonly sentences: number;
  /** By concept: how often it occurs, synonyms counted by their weight. */
  readonly concepts: RunningCounts;
  /** The same with words of nearly the same form. */
  readonly relatives: RunningCounts;
  /** By the question's stop words. */
  readonly stopWords: RunningCounts;
  /** By near pair. */
  readonly nearPairs: RunningCounts;
  /** Content words and all words of the sentences: terms 0 and 1. */
  readonly lengths: RunningCounts;
  /** Where concepts occur: position among the page's content words, concept, weight. */
  readonly occurrences: readonly Occurrence[];
  readonly contentWords: number;
  /** By adjacent pair. */
  readonly pairs: Float64Array;
  /** By concept, in the headings. */
  readonly headings: Float64Array;
  readonly headingWords: number;
}

export type Occurrence = readonly [position: number, concept: number, weight: number];

/** What the stem of a document means to the question. */
interface Role {
  readonly concept: number;
  readonly weight: number;
  readonly kind: 'word' | 'relative' | 'stop word';
}

interface Roles {
  /** By stem number, 1 where the stem has a role; most have none. */
  readonly has: Uint8Array;
  readonly of: ReadonlyMap<number, readonly Role[]>;
}

/** Reads candidate pages; what it learns of a document's vocabulary serves all its pages. */
export class PageReader {
  readonly #question: Question;
  readonly #roles = new Map<DocumentIndex, Roles>();

  constructor(question: Question) {
    this.#question = question;
  }

  read({ index, page }: PageRef): PageHits {
    const { concepts, stopWords, nearPairs, pairs } = this.#question;
    const roles = this.#rolesIn(index);
    const first = index.pageStarts[page] ?? 0;
    const sentences = (index.pageStarts[page + 1] ?? 0) - first;
    const counts = {
      concepts: new RunningCounts(concepts.length, sentences),
      relatives: new RunningCounts(concepts.length, sentences),
      stopWords: new RunningCounts(stopWords.length, sentences),
      nearPairs: new RunningCounts(nearPairs.length, sentences),
      lengths: new RunningCounts(2, sentences),
    };
    const occurrences: Occurrence[] = [];
    let contentWords = 0;
    for (let sentence = 0; sentence < sentences; sentence += 1) {
      for (const list of Object.values(counts)) list.nextSentence();
      const before = occurrences.length;
      const length = readSentence(index, first + sentence, roles, contentWords, occurrences, counts);
      countNearPairs(occurrences, before, nearPairs, counts.nearPairs);
      contentWords += length;
    }
    return {
      sentences,
      ...counts,
      occurrences,
      contentWords,
      pairs: countPairs(occurrences, pairs),
      ...readHeadings(index, page, roles, concepts.length),
    };
  }

  #rolesIn(index: DocumentIndex): Roles {
    const known = this.#roles.get(index);
    if (known !== undefined) return known;
    const of = new Map<number, Role[]>();
    const has = new Uint8Array(index.stems.length);
    const assign = (stem: string, role: Role): void => {
      const number = index.vocabulary.get(stem);
      if (number === undefined) return;
      has[number] = 1;
      const others = of.get(number);
      if (others === undefined) of.set(number, [role]);
      else others.push(role);
    };
    for (const [concept, { variants, relatives }] of this.#question.concepts.entries()) {
      for (const { stem, weight } of variants) assign(stem, { concept, weight, kind: 'word' });
      for (const { stem, weight } of relatives) assign(stem, { concept, weight, kind: 'relative' });
    }
    for (const [concept, { stem }] of this.#question.stopWords.entries())
      assign(stem, { concept, weight: 1, kind: 'stop word' });
    const roles = { has, of };
    this.#roles.set(index, roles);
    return roles;
  }
}

type SentenceCounts = Pick<PageHits, 'concepts' | 'relatives' | 'stopWords' | 'lengths'>;

/** Returns how many content words the sentence has. */
function readSentence(
  index: DocumentIndex,
  sentence: number,
  roles: Roles,
  contentBefore: number,
  occurrences: Occurrence[],
  counts: SentenceCounts,
): number {
  const start = index.sentenceStarts[sentence] ?? 0;
  const end = index.sentenceStarts[sentence + 1] ?? 0;
  let contentWords = 0;
  for (let at = start; at < end; at += 1) {
    const number = index.tokens[at] ?? 0;
    if (roles.has[number] === 1) {
      for (const { kind, concept, weight } of roles.of.get(number) ?? []) {
        if (kind === 'stop word') counts.stopWords.add(concept, 1);
        else counts.relatives.add(concept, weight);
        if (kind !== 'word') continue;
        counts.concepts.add(concept, weight);
        occurrences.push([contentBefore + contentWords, concept, weight]);
      }
    }
    contentWords += index.content[number] ?? 0;
  }
  counts.lengths.add(0, contentWords);
  counts.lengths.add(1, end - start);
  return contentWords;
}

function readHeadings(
  index: DocumentIndex,
  page: number,
  roles: Roles,
  concepts: number,
): Pick<PageHits, 'headings' | 'headingWords'> {
  const headings = new Float64Array(concepts);
  let headingWords = 0;
  for (const number of index.headings[page] ?? []) {
    headingWords += index.content[number] ?? 0;
    for (const { kind, concept, weight } of roles.of.get(number) ?? []) {
      if (kind === 'word') headings[concept] = (headings[concept] ?? 0) + weight;
    }
  }
  return { headings, headingWords };
}

/** How often the second word of each pair follows the first at once. Synonyms make no pairs. */
function countPairs(occurrences: readonly Occurrence[], pairs: readonly Pair[]): Float64Array {
  const counts = new Float64Array(pairs.length);
  forEachNear(occurrences, 0, 1, (first, second) => {
    for (let pair = 0; pair < pairs.length; pair += 1) {
      if (pairs[pair]?.[0] === first && pairs[pair]?.[1] === second) counts[pair] = (counts[pair] ?? 0) + 1;
    }
  });
  return counts;
}

function countNearPairs(
  occurrences: readonly Occurrence[],
  from: number,
  pairs: readonly Pair[],
  counts: RunningCounts,
): void {
  forEachNear(occurrences, from, NEAR, (a, b) => {
    for (let pair = 0; pair < pairs.length; pair += 1) {
      const [first, second] = pairs[pair] ?? [-1, -1];
      if ((first === a && second === b) || (first === b && second === a)) counts.add(pair, 1);
    }
  });
}

/** Two of the question's own words within `reach` content words. */
function forEachNear(
  occurrences: readonly Occurrence[],
  from: number,
  reach: number,
  call: (first: number, second: number) => void,
): void {
  for (let at = from; at < occurrences.length; at += 1) {
    const [position, concept, weight] = occurrences[at] ?? [0, 0, 0];
    if (weight !== 1) continue;
    for (let next = at + 1; next < occurrences.length; next += 1) {
      const [otherPosition, other, otherWeight] = occurrences[next] ?? [0, 0, 0];
      if (otherPosition - position > reach) break;
      if (otherWeight === 1 && otherPosition > position) call(concept, other);
    }
  }
}

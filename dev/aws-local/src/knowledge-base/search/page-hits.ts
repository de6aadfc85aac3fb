import type { PageRef } from './collect-candidates.ts';
import type { DocumentIndex } from './document-index.ts';
import { NEAR, type Pair, type Question } from './question.ts';

/** A page's sentence as seen from the question. */
export interface SentenceHits {
  /** By concept: how often it occurs, synonyms counted by their weight. */
  readonly concepts: Float64Array;
  /** The same with words of nearly the same form. */
  readonly relatives: Float64Array;
  /** By the question's stop words. */
  readonly stopWords: Float64Array;
  /** By near pair. */
  readonly nearPairs: Float64Array;
  readonly contentWords: number;
  readonly words: number;
}

export interface PageHits {
  readonly sentences: readonly SentenceHits[];
  readonly contentWords: number;
  /** Where concepts occur: position among the page's content words, concept, weight. */
  readonly occurrences: readonly Occurrence[];
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
  readonly #none: Pick<SentenceHits, 'concepts' | 'relatives' | 'stopWords' | 'nearPairs'>;

  constructor(question: Question) {
    this.#question = question;
    this.#none = this.#blank();
  }

  read({ index, page }: PageRef): PageHits {
    const roles = this.#rolesIn(index);
    const sentences: SentenceHits[] = [];
    const occurrences: Occurrence[] = [];
    let contentWords = 0;
    const end = index.pageStarts[page + 1] ?? 0;
    for (let sentence = index.pageStarts[page] ?? 0; sentence < end; sentence += 1) {
      const hits = this.#readSentence(index, sentence, roles, contentWords, occurrences);
      sentences.push(hits);
      contentWords += hits.contentWords;
    }
    const headings = new Float64Array(this.#question.concepts.length);
    const headingNumbers = index.headings[page] ?? [];
    for (const number of headingNumbers) {
      for (const { kind, concept, weight } of roles.of.get(number) ?? [])
        if (kind === 'word') add(headings, concept, weight);
    }
    return {
      sentences,
      contentWords,
      occurrences,
      pairs: countPairs(occurrences, this.#question.pairs),
      headings,
      headingWords: headingNumbers.reduce((sum, number) => sum + (index.content[number] ?? 0), 0),
    };
  }

  #readSentence(
    index: DocumentIndex,
    sentence: number,
    roles: Roles,
    contentBefore: number,
    occurrences: Occurrence[],
  ): SentenceHits {
    const start = index.sentenceStarts[sentence] ?? 0;
    const end = index.sentenceStarts[sentence + 1] ?? 0;
    const firstOccurrence = occurrences.length;
    let hits = this.#none;
    let contentWords = 0;
    for (let at = start; at < end; at += 1) {
      const number = index.tokens[at] ?? 0;
      if (roles.has[number] === 1) {
        if (hits === this.#none) hits = this.#blank();
        for (const role of roles.of.get(number) ?? []) {
          if (role.kind === 'stop word') add(hits.stopWords, role.concept, 1);
          else add(hits.relatives, role.concept, role.weight);
          if (role.kind !== 'word') continue;
          add(hits.concepts, role.concept, role.weight);
          occurrences.push([contentBefore + contentWords, role.concept, role.weight]);
        }
      }
      contentWords += index.content[number] ?? 0;
    }
    if (occurrences.length - firstOccurrence > 1) {
      countNearPairs(occurrences, firstOccurrence, this.#question.nearPairs, hits.nearPairs);
    }
    return { ...hits, contentWords, words: end - start };
  }

  #blank(): Pick<SentenceHits, 'concepts' | 'relatives' | 'stopWords' | 'nearPairs'> {
    const { concepts, stopWords, nearPairs } = this.#question;
    return {
      concepts: new Float64Array(concepts.length),
      relatives: new Float64Array(concepts.length),
      stopWords: new Float64Array(stopWords.length),
      nearPairs: new Float64Array(nearPairs.length),
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

function add(counts: Float64Array, at: number, amount: number): void {
  counts[at] = (counts[at] ?? 0) + amount;
}

/** How often the second word of each pair follows the first at once. Synonyms make no pairs. */
function countPairs(occurrences: readonly Occurrence[], pairs: readonly Pair[]): Float64Array {
  const counts = new Float64Array(pairs.length);
  forEachNear(occurrences, 0, 1, (first, second) => {
    for (let pair = 0; pair < pairs.length; pair += 1) {
      if (pairs[pair]?.[0] === first && pairs[pair]?.[1] === second) add(counts, pair, 1);
    }
  });
  return counts;
}

function countNearPairs(
  occurrences: readonly Occurrence[],
  from: number,
  pairs: readonly Pair[],
  counts: Float64Array,
): void {
  forEachNear(occurrences, from, NEAR, (a, b) => {
    for (let pair = 0; pair < pairs.length; pair += 1) {
      const [first, second] = pairs[pair] ?? [-1, -1];
      if ((first === a && second === b) || (first === b && second === a)) add(counts, pair, 1);
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

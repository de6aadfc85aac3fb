import type { PageRef } from './collect-candidates.ts';
import type { DocumentIndex } from './document-index.ts';
import { NEAR, type Question } from './question.ts';

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
  readonly occurrences: readonly (readonly [position: number, concept: number, weight: number])[];
  /** By adjacent pair. */
  readonly pairs: Float64Array;
  /** By concept, in the headings. */
  readonly headings: Float64Array;
  readonly headingWords: number;
}

interface Role {
  readonly concept: number;
  readonly weight: number;
  readonly relative: boolean;
}

/** Reads candidate pages; what it learns of a document's vocabulary serves all its pages. */
export class PageReader {
  readonly #question: Question;
  readonly #roles = new Map<DocumentIndex, ReadonlyMap<number, readonly Role[]>>();
  readonly #stopRoles = new Map<DocumentIndex, ReadonlyMap<number, number>>();

  constructor(question: Question) {
    this.#question = question;
  }

  read({ index, page }: PageRef): PageHits {
    const { concepts, pairs } = this.#question;
    const roles = this.#rolesIn(index);
    const sentences: SentenceHits[] = [];
    const occurrences: [number, number, number][] = [];
    const pairCounts = new Float64Array(pairs.length);
    const sequence: number[] = [];
    const end = index.pageStarts[page + 1] ?? 0;
    for (let sentence = index.pageStarts[page] ?? 0; sentence < end; sentence += 1) {
      sentences.push(this.#readSentence(index, sentence, roles, sequence, occurrences));
    }
    for (let at = 0; at + 1 < sequence.length; at += 1) {
      for (const [number, [first, second]] of pairs.entries()) {
        if (sequence[at] === first && sequence[at + 1] === second) pairCounts[number] = (pairCounts[number] ?? 0) + 1;
      }
    }
    const headings = new Float64Array(concepts.length);
    const headingNumbers = index.headings[page] ?? [];
    for (const number of headingNumbers) addRoles(headings, roles.get(number));
    return {
      sentences,
      contentWords: sequence.length,
      occurrences,
      pairs: pairCounts,
      headings,
      headingWords: headingNumbers.reduce((sum, number) => sum + (index.content[number] ?? 0), 0),
    };
  }

  /** `sequence` grows by one entry a content word: the concept it is, or -1. */
  #readSentence(
    index: DocumentIndex,
    sentence: number,
    roles: ReadonlyMap<number, readonly Role[]>,
    sequence: number[],
    occurrences: [number, number, number][],
  ): SentenceHits {
    const { concepts, stopWords, nearPairs } = this.#question;
    const stopRoles = this.#stopRolesIn(index);
    const hits = {
      concepts: new Float64Array(concepts.length),
      relatives: new Float64Array(concepts.length),
      stopWords: new Float64Array(stopWords.length),
      nearPairs: new Float64Array(nearPairs.length),
    };
    const start = index.sentenceStarts[sentence] ?? 0;
    const end = index.sentenceStarts[sentence + 1] ?? 0;
    const firstContent = sequence.length;
    for (let at = start; at < end; at += 1) {
      const number = index.tokens[at] ?? 0;
      if (index.content[number] !== 1) {
        const stop = stopRoles.get(number);
        if (stop !== undefined) hits.stopWords[stop] = (hits.stopWords[stop] ?? 0) + 1;
        continue;
      }
      let own = -1;
      for (const { concept, weight, relative } of roles.get(number) ?? []) {
        hits.relatives[concept] = (hits.relatives[concept] ?? 0) + weight;
        if (relative) continue;
        hits.concepts[concept] = (hits.concepts[concept] ?? 0) + weight;
        occurrences.push([sequence.length, concept, weight]);
        if (weight === 1) own = concept;
      }
      sequence.push(own);
    }
    for (const [number, [first, second]] of nearPairs.entries()) {
      hits.nearPairs[number] = countNear(sequence, firstContent, first, second);
    }
    return { ...hits, contentWords: sequence.length - firstContent, words: end - start };
  }

  #rolesIn(index: DocumentIndex): ReadonlyMap<number, readonly Role[]> {
    const known = this.#roles.get(index);
    if (known !== undefined) return known;
    const roles = new Map<number, Role[]>();
    for (const [concept, { variants, relatives }] of this.#question.concepts.entries()) {
      for (const [list, relative] of [
        [variants, false],
        [relatives, true],
      ] as const) {
        for (const { stem, weight } of list) {
          const number = index.vocabulary.get(stem);
          if (number === undefined) continue;
          const role: Role = { concept, weight, relative };
          const others = roles.get(number);
          if (others === undefined) roles.set(number, [role]);
          else others.push(role);
        }
      }
    }
    this.#roles.set(index, roles);
    return roles;
  }

  #stopRolesIn(index: DocumentIndex): ReadonlyMap<number, number> {
    const known = this.#stopRoles.get(index);
    if (known !== undefined) return known;
    const roles = new Map<number, number>();
    for (const [position, { stem }] of this.#question.stopWords.entries()) {
      const number = index.vocabulary.get(stem);
      if (number !== undefined) roles.set(number, position);
    }
    this.#stopRoles.set(index, roles);
    return roles;
  }
}

function addRoles(counts: Float64Array, roles: readonly Role[] | undefined): void {
  for (const { concept, weight } of roles ?? []) counts[concept] = (counts[concept] ?? 0) + weight;
}

function countNear(sequence: readonly number[], from: number, first: number, second: number): number {
  let count = 0;
  for (let at = from; at < sequence.length; at += 1) {
    const one = sequence[at];
    if (one !== first && one !== second) continue;
    const other = one === first ? second : first;
    for (let near = at + 1; near <= at + NEAR && near < sequence.length; near += 1)
      if (sequence[near] === other) count += 1;
  }
  return count;
}

import type { DocumentIndex } from './document-index.ts';
import type { Question } from './question.ts';
import type { VectorScores } from './rank-vectors.ts';

/** A page of one of the searched documents. */
export interface PageRef {
  readonly index: DocumentIndex;
  /** Position of the document in the list that is searched. */
  readonly documentNumber: number;
  readonly page: number;
}

const WINDOW = 3;
const NO_SCORES = new Float32Array(0);

/**
 * The pages worth a close look: those with the best three sentences in a row, by the summed idf of the question's words
 * that occur in them, and as many again with the best vectors. Reads postings only, so its cost grows with the
 * occurrences of the question's words.
 */
export function collectCandidates(
  question: Question,
  indexes: readonly DocumentIndex[],
  limit: number,
  vectors?: VectorScores,
): PageRef[] {
  const chosen = new Map<string, PageRef>();
  const choose = (scores: readonly (Float32Array | undefined)[]): void => {
    const { threshold, ties } = thresholdOf(scores, limit);
    let tiesLeft = ties;
    for (const [documentNumber, index] of indexes.entries()) {
      const pages = scores[documentNumber] ?? NO_SCORES;
      for (let page = 0; page < pages.length; page += 1) {
        const score = pages[page] ?? 0;
        if (score <= 0 || score < threshold || (score === threshold && (tiesLeft -= 1) < 0)) continue;
        chosen.set(`${documentNumber} ${page}`, { index, documentNumber, page });
      }
    }
  };
  choose(indexes.map((index) => scorePages(question, index)));
  if (vectors !== undefined) choose(vectors);
  return [...chosen.values()];
}

/** The score of the last of the `limit` best pages, and how many of the pages with just this score are among them. */
function thresholdOf(
  scores: readonly (Float32Array | undefined)[],
  limit: number,
): { threshold: number; ties: number } {
  const all: number[] = [];
  for (const pages of scores) for (const score of pages ?? []) if (score > 0) all.push(score);
  if (all.length <= limit) return { threshold: 0, ties: 0 };
  const threshold = Float32Array.from(all).toSorted()[all.length - limit] ?? 0;
  return { threshold, ties: limit - all.filter((score) => score > threshold).length };
}

/** Undefined when no word of the question occurs. */
function scorePages(question: Question, index: DocumentIndex): Float32Array | undefined {
  const sentences = scoreSentences(question, index);
  if (sentences === undefined) return undefined;
  const pages = new Float32Array(index.pageStarts.length - 1);
  for (let page = 0; page < pages.length; page += 1) {
    pages[page] = bestWindow(sentences, index.pageStarts[page] ?? 0, index.pageStarts[page + 1] ?? 0);
  }
  return pages;
}

function scoreSentences({ concepts }: Question, index: DocumentIndex): Float32Array | undefined {
  let scores: Float32Array | undefined;
  for (const { variants, relatives, idf } of concepts) {
    for (const variant of [...variants, ...relatives]) {
      const number = index.vocabulary.get(variant.stem);
      if (number === undefined) continue;
      scores ??= new Float32Array(index.sentenceStarts.length - 1);
      const end = index.postingStarts[number + 1] ?? 0;
      for (let at = index.postingStarts[number] ?? 0; at < end; at += 1) {
        const sentence = index.postings[at] ?? 0;
        scores[sentence] = (scores[sentence] ?? 0) + variant.weight * idf;
      }
    }
  }
  return scores;
}

function bestWindow(scores: Float32Array, first: number, end: number): number {
  let best = 0;
  let sum = 0;
  for (let sentence = first; sentence < end; sentence += 1) {
    sum += scores[sentence] ?? 0;
    if (sentence - first >= WINDOW) sum -= scores[sentence - WINDOW] ?? 0;
    if (sum > best) best = sum;
  }
  return best;
}

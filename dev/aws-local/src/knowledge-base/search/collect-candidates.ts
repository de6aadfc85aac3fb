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
  const byWords: ScoredPage[] = [];
  const byVectors: ScoredPage[] = [];
  for (const [documentNumber, index] of indexes.entries()) {
    const scores = scoreSentences(question, index);
    for (let page = 0; page + 1 < index.pageStarts.length; page += 1) {
      const vector = vectors?.[documentNumber]?.[page];
      if (vector !== undefined) byVectors.push({ index, documentNumber, page, score: vector });
      if (scores === undefined) continue;
      const score = bestWindow(scores, index.pageStarts[page] ?? 0, index.pageStarts[page + 1] ?? 0);
      if (score > 0) byWords.push({ index, documentNumber, page, score });
    }
  }
  const chosen = [...best(byWords, limit), ...best(byVectors, limit)];
  const byName = new Map(chosen.map((page) => [`${page.documentNumber} ${page.page}`, page]));
  return [...byName.values()];
}

type ScoredPage = PageRef & { readonly score: number };

/** Ties go to the earlier page. */
function best(pages: readonly ScoredPage[], limit: number): ScoredPage[] {
  if (pages.length <= limit) return [...pages];
  const threshold = Float64Array.from(pages, ({ score }) => score).toSorted()[pages.length - limit] ?? 0;
  const near = pages.filter(({ score }) => score >= threshold);
  return near.toSorted((a, b) => b.score - a.score).slice(0, limit);
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

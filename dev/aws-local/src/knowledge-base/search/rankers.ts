import type { PageHits } from './page-hits.ts';
import type { RunningCounts } from './running-counts.ts';

/** Averages over the searched documents, by which lengths are judged. */
export interface Averages {
  readonly pageLength: number;
  readonly sentenceLength: number;
  readonly sentenceWords: number;
  readonly headingLength: number;
}

/** What all rankers may look at. The idf of pairs is known only once all candidates are read. */
export interface RankerContext {
  readonly averages: Averages;
  readonly idf: Float64Array;
  readonly stopIdf: Float64Array;
  readonly pairIdf: Float64Array;
  readonly nearPairIdf: Float64Array;
}

export type Ranker = (hits: PageHits, context: RankerContext) => number;

/** Terms of `lengths`. */
const CONTENT_WORDS = 0;
const WORDS = 1;

/** Best sentences in a row: short windows find the answer, long ones tell which page is about the question. */
const windows = (size: number, k: number, b: number): Ranker => {
  return (hits, { idf, averages }) =>
    bestWindow(hits, size, (first, end) => {
      const norm = normOf(hits, first, end, CONTENT_WORDS, averages.sentenceLength * size, k, b);
      return bm25(hits.concepts, first, end, idf, k, norm);
    });
};

const SLIDE_WORDS = 30;
const SLIDE_STEP = 10;

/** Best run of thirty content words, wherever sentences end: text without full stops has no other windows. */
const slide: Ranker = ({ occurrences, contentWords }, { idf }) => {
  let best = 0;
  for (let start = 0; start === 0 || start + SLIDE_WORDS - SLIDE_STEP < contentWords; start += SLIDE_STEP) {
    const counts = new Float64Array(idf.length);
    for (const [position, concept, weight] of occurrences) {
      if (position >= start + SLIDE_WORDS) break;
      if (position >= start) counts[concept] = (counts[concept] ?? 0) + weight;
    }
    let score = 0;
    for (let concept = 0; concept < idf.length; concept += 1) {
      score += (idf[concept] ?? 0) * saturate(counts[concept] ?? 0, 0.9, 0.9);
    }
    best = Math.max(best, score);
  }
  return best;
};

const page: Ranker = (hits, { idf, averages }) => {
  const norm = normOf(hits, 0, hits.sentences, CONTENT_WORDS, averages.pageLength, 1.2, 0.75);
  return bm25(hits.concepts, 0, hits.sentences, idf, 1.2, norm);
};

/** Words that follow one another in the question and on the page. */
const pairs: Ranker = (hits, { pairIdf, averages }) => {
  const norm = 0.9 * (1 - 0.4 + (0.4 * hits.contentWords) / averages.pageLength);
  return hits.pairs.reduce((total, count, pair) => total + (pairIdf[pair] ?? 0) * saturate(count, 0.9, norm), 0);
};

const nearPairs: Ranker = (hits, { nearPairIdf, averages }) =>
  bestWindow(hits, 2, (first, end) => {
    const norm = normOf(hits, first, end, CONTENT_WORDS, averages.sentenceLength * 2, 0.9, 0.5);
    return bm25(hits.nearPairs, first, end, nearPairIdf, 0.9, norm);
  });

/** With stop words: "turn on" is not "turn off". */
const allWords: Ranker = (hits, { idf, stopIdf, averages }) =>
  bestWindow(hits, 2, (first, end) => {
    const norm = normOf(hits, first, end, WORDS, averages.sentenceWords * 2, 0.3, 0.8);
    return bm25(hits.stopWords, first, end, stopIdf, 0.3, norm) + bm25(hits.concepts, first, end, idf, 0.3, norm);
  });

/** With words of nearly the same form. */
const relatives: Ranker = (hits, { idf, averages }) =>
  bestWindow(hits, 2, (first, end) => {
    const norm = normOf(hits, first, end, CONTENT_WORDS, averages.sentenceLength * 2, 0.3, 0.8);
    return bm25(hits.relatives, first, end, idf, 0.3, norm);
  });

const headings: Ranker = (hits, { idf, averages }) => {
  const norm = 0.9 * (1 - 0.5 + (0.5 * hits.headingWords) / averages.headingLength);
  return hits.headings.reduce((total, count, concept) => total + (idf[concept] ?? 0) * saturate(count, 0.9, norm), 0);
};

export const RANKERS = {
  sentence: windows(1, 0.5, 0.6),
  sentences2: windows(2, 0.3, 0.8),
  sentences3: windows(3, 0.3, 0.8),
  sentences4: windows(4, 0.3, 0.8),
  slide,
  page,
  pairs,
  nearPairs,
  allWords,
  relatives,
  headings,
} satisfies Record<string, Ranker>;

/** BM25: Robertson and Zaragoza, "The Probabilistic Relevance Framework: BM25 and Beyond", 2009. */
function bm25(counts: RunningCounts, first: number, end: number, idf: Float64Array, k: number, norm: number): number {
  let score = 0;
  for (let term = 0; term < counts.terms; term += 1) {
    score += (idf[term] ?? 0) * saturate(counts.count(term, first, end), k, norm);
  }
  return score;
}

function saturate(count: number, k: number, norm: number): number {
  return count === 0 ? 0 : (count * (k + 1)) / (count + norm);
}

/** BM25's length normalisation of the sentences from `first` to before `end`. */
function normOf(
  { lengths }: PageHits,
  first: number,
  end: number,
  unit: number,
  average: number,
  k: number,
  b: number,
): number {
  return k * (1 - b + (b * lengths.count(unit, first, end)) / average);
}

function bestWindow({ sentences }: PageHits, size: number, score: (first: number, end: number) => number): number {
  let best = 0;
  for (let first = 0; first === 0 || first + size <= sentences; first += 1) {
    best = Math.max(best, score(first, Math.min(first + size, sentences)));
  }
  return best;
}

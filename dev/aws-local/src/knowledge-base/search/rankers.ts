import type { PageHits, SentenceHits } from './page-hits.ts';

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

type Counts = 'concepts' | 'relatives' | 'stopWords' | 'nearPairs';
type Length = 'contentWords' | 'words';

/** Best sentences in a row: short windows find the answer, long ones tell which page is about the question. */
const windows = (size: number, k: number, b: number): Ranker => {
  return ({ sentences }, { idf, averages }) =>
    bestWindow(sentences, size, (first, end) => {
      const norm = normOf(sentences, first, end, 'contentWords', averages.sentenceLength * size, k, b);
      return bm25(sentences, first, end, 'concepts', idf, k, norm);
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

const page: Ranker = ({ sentences }, { idf, averages }) => {
  const norm = normOf(sentences, 0, sentences.length, 'contentWords', averages.pageLength, 1.2, 0.75);
  return bm25(sentences, 0, sentences.length, 'concepts', idf, 1.2, norm);
};

/** Words that follow one another in the question and on the page. */
const pairs: Ranker = (hits, { pairIdf, averages }) => {
  const norm = 0.9 * (1 - 0.4 + (0.4 * hits.contentWords) / averages.pageLength);
  return hits.pairs.reduce((total, count, pair) => total + (pairIdf[pair] ?? 0) * saturate(count, 0.9, norm), 0);
};

const nearPairs: Ranker = ({ sentences }, { nearPairIdf, averages }) =>
  bestWindow(sentences, 2, (first, end) => {
    const norm = normOf(sentences, first, end, 'contentWords', averages.sentenceLength * 2, 0.9, 0.5);
    return bm25(sentences, first, end, 'nearPairs', nearPairIdf, 0.9, norm);
  });

/** With stop words: "turn on" is not "turn off". */
const allWords: Ranker = ({ sentences }, { idf, stopIdf, averages }) =>
  bestWindow(sentences, 2, (first, end) => {
    const norm = normOf(sentences, first, end, 'words', averages.sentenceWords * 2, 0.3, 0.8);
    return (
      bm25(sentences, first, end, 'stopWords', stopIdf, 0.3, norm) +
      bm25(sentences, first, end, 'concepts', idf, 0.3, norm)
    );
  });

/** With words of nearly the same form. */
const relatives: Ranker = ({ sentences }, { idf, averages }) =>
  bestWindow(sentences, 2, (first, end) => {
    const norm = normOf(sentences, first, end, 'contentWords', averages.sentenceLength * 2, 0.3, 0.8);
    return bm25(sentences, first, end, 'relatives', idf, 0.3, norm);
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
function bm25(
  sentences: readonly SentenceHits[],
  first: number,
  end: number,
  counts: Counts,
  idf: Float64Array,
  k: number,
  norm: number,
): number {
  let score = 0;
  for (let term = 0; term < idf.length; term += 1) {
    let count = 0;
    for (let sentence = first; sentence < end; sentence += 1) count += sentences[sentence]?.[counts][term] ?? 0;
    if (count > 0) score += (idf[term] ?? 0) * saturate(count, k, norm);
  }
  return score;
}

function saturate(count: number, k: number, norm: number): number {
  return count === 0 ? 0 : (count * (k + 1)) / (count + norm);
}

/** BM25's length normalisation of the sentences from `first` to before `end`. */
function normOf(
  sentences: readonly SentenceHits[],
  first: number,
  end: number,
  unit: Length,
  average: number,
  k: number,
  b: number,
): number {
  let length = 0;
  for (let sentence = first; sentence < end; sentence += 1) length += sentences[sentence]?.[unit] ?? 0;
  return k * (1 - b + (b * length) / average);
}

function bestWindow(
  sentences: readonly SentenceHits[],
  size: number,
  score: (first: number, end: number) => number,
): number {
  let best = 0;
  for (let first = 0; first === 0 || first + size <= sentences.length; first += 1) {
    best = Math.max(best, score(first, Math.min(first + size, sentences.length)));
  }
  return best;
}

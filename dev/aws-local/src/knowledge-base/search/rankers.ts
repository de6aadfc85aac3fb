import type { PageHits, SentenceHits } from './page-hits.ts';
import type { Question } from './question.ts';

/** Averages over the searched documents, by which lengths are judged. */
export interface Averages {
  readonly pageLength: number;
  readonly sentenceLength: number;
  readonly sentenceWords: number;
  readonly headingLength: number;
}

/** What all rankers may look at. The idf of pairs is known only once all candidates are read. */
export interface RankerContext {
  readonly question: Question;
  readonly averages: Averages;
  readonly pairIdf: Float64Array;
  readonly nearPairIdf: Float64Array;
}

export type Ranker = (hits: PageHits, context: RankerContext) => number;

/** Best sentences in a row: short windows find the answer, long ones tell which page is about the question. */
const windows = (size: number, k: number, b: number): Ranker => {
  return ({ sentences }, { question, averages }) =>
    bestWindow(sentences, size, (window) => {
      const length = sum(window, (sentence) => sentence.contentWords) / (averages.sentenceLength * size);
      return sumConcepts(question, (concept) =>
        saturate(
          sum(window, (s) => s.concepts[concept] ?? 0),
          k,
          b,
          length,
        ),
      );
    });
};

const SLIDE_WORDS = 30;
const SLIDE_STEP = 10;

/** Best run of thirty content words, wherever sentences end: text without full stops has no other windows. */
const slide: Ranker = ({ occurrences, contentWords }, { question }) => {
  let best = 0;
  for (let start = 0; start === 0 || start + SLIDE_WORDS - SLIDE_STEP < contentWords; start += SLIDE_STEP) {
    const counts = new Float64Array(question.concepts.length);
    for (const [position, concept, weight] of occurrences) {
      if (position >= start && position < start + SLIDE_WORDS) counts[concept] = (counts[concept] ?? 0) + weight;
    }
    best = Math.max(
      best,
      sumConcepts(question, (concept) => saturate(counts[concept] ?? 0, 0.9, 0, 1)),
    );
  }
  return best;
};

const page: Ranker = ({ sentences, contentWords }, { question, averages }) => {
  const length = contentWords / averages.pageLength;
  return sumConcepts(question, (concept) =>
    saturate(
      sum(sentences, (s) => s.concepts[concept] ?? 0),
      1.2,
      0.75,
      length,
    ),
  );
};

/** Words that follow one another in the question and on the page. */
const pairs: Ranker = (hits, { pairIdf, averages }) => {
  const length = hits.contentWords / averages.pageLength;
  return hits.pairs.reduce((total, count, pair) => total + (pairIdf[pair] ?? 0) * saturate(count, 0.9, 0.4, length), 0);
};

const nearPairs: Ranker = ({ sentences }, { nearPairIdf, averages }) =>
  bestWindow(sentences, 2, (window) => {
    const length = sum(window, (sentence) => sentence.contentWords) / (averages.sentenceLength * 2);
    return nearPairIdf.reduce(
      (total, idf, pair) =>
        total +
        idf *
          saturate(
            sum(window, (s) => s.nearPairs[pair] ?? 0),
            0.9,
            0.5,
            length,
          ),
      0,
    );
  });

/** With stop words: "turn on" is not "turn off". */
const allWords: Ranker = ({ sentences }, { question, averages }) =>
  bestWindow(sentences, 2, (window) => {
    const length = sum(window, (sentence) => sentence.words) / (averages.sentenceWords * 2);
    const stops = question.stopWords.reduce(
      (total, { idf }, stop) =>
        total +
        idf *
          saturate(
            sum(window, (s) => s.stopWords[stop] ?? 0),
            0.3,
            0.8,
            length,
          ),
      0,
    );
    return (
      stops +
      sumConcepts(question, (concept) =>
        saturate(
          sum(window, (s) => s.concepts[concept] ?? 0),
          0.3,
          0.8,
          length,
        ),
      )
    );
  });

const relatives: Ranker = ({ sentences }, { question, averages }) =>
  bestWindow(sentences, 2, (window) => {
    const length = sum(window, (sentence) => sentence.contentWords) / (averages.sentenceLength * 2);
    return sumConcepts(question, (concept) =>
      saturate(
        sum(window, (s) => s.relatives[concept] ?? 0),
        0.3,
        0.8,
        length,
      ),
    );
  });

const headings: Ranker = (hits, { question, averages }) => {
  const length = hits.headingWords / averages.headingLength;
  return sumConcepts(question, (concept) => saturate(hits.headings[concept] ?? 0, 0.9, 0.5, length));
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

/** BM25's saturation: Robertson and Zaragoza, "The Probabilistic Relevance Framework: BM25 and Beyond", 2009. */
function saturate(count: number, k: number, b: number, relativeLength: number): number {
  return count === 0 ? 0 : (count * (k + 1)) / (count + k * (1 - b + b * relativeLength));
}

function sumConcepts({ concepts }: Question, value: (concept: number) => number): number {
  return concepts.reduce((total, { idf }, concept) => total + idf * value(concept), 0);
}

function bestWindow(
  sentences: readonly SentenceHits[],
  size: number,
  score: (window: readonly SentenceHits[]) => number,
): number {
  let best = 0;
  for (let first = 0; first === 0 || first + size <= sentences.length; first += 1) {
    best = Math.max(best, score(sentences.slice(first, first + size)));
  }
  return best;
}

function sum(sentences: readonly SentenceHits[], value: (sentence: SentenceHits) => number): number {
  let total = 0;
  for (const sentence of sentences) total += value(sentence);
  return total;
}

import { collectCandidates, type PageRef } from './collect-candidates.ts';
import type { DocumentIndex } from './document-index.ts';
import { PageReader, type PageHits } from './page-hits.ts';
import { PARAMETERS } from './parameters.ts';
import type { Question } from './question.ts';
import { RANKERS, type Averages, type RankerContext } from './rankers.ts';

export interface RankedPage extends PageRef {
  readonly hits: PageHits;
  /** 0 to 1; 1 would be the best page by every ranker. */
  readonly score: number;
}

type RankerName = keyof typeof RANKERS;
const RANKER_NAMES = Object.keys(RANKERS) as RankerName[];

/** Ranks pages by the mean of several rankers' scores, each relative to its best page. Best first; ties keep the order of the text. */
export function rankPages(question: Question, indexes: readonly DocumentIndex[]): RankedPage[] {
  const reader = new PageReader(question);
  const candidates = collectCandidates(question, indexes, PARAMETERS.candidates);
  const pages = candidates.map((ref) => ({ ...ref, hits: reader.read(ref) }));
  const context: RankerContext = {
    question,
    averages: averagesOf(indexes),
    pairIdf: idfOf(question.pairs.length, pages, indexes, (hits, pair) => (hits.pairs[pair] ?? 0) > 0),
    nearPairIdf: idfOf(question.nearPairs.length, pages, indexes, (hits, pair) =>
      hits.sentences.some((sentence) => (sentence.nearPairs[pair] ?? 0) > 0),
    ),
  };
  const scores = fuse(
    pages.map(({ hits }) => hits),
    context,
  );
  const smoothed = addNeighbours(pages, scores);
  return pages
    .map((page, position) => ({ ...page, score: smoothed[position] ?? 0 }))
    .toSorted((a, b) => b.score - a.score || a.documentNumber - b.documentNumber || a.page - b.page);
}

function fuse(pages: readonly PageHits[], context: RankerContext): Float64Array {
  const fused = new Float64Array(pages.length);
  let weights = 0;
  for (const name of RANKER_NAMES) {
    const scores = pages.map((hits) => RANKERS[name](hits, context));
    const best = Math.max(0, ...scores);
    if (best === 0) continue;
    const weight = PARAMETERS.weights[name];
    weights += weight;
    for (const [position, score] of scores.entries())
      fused[position] = (fused[position] ?? 0) + (weight * score) / best;
  }
  return weights === 0 ? fused : fused.map((score) => score / weights);
}

function addNeighbours(pages: readonly PageRef[], scores: Float64Array): Float64Array {
  const position = new Map(pages.map(({ documentNumber, page }, at) => [`${documentNumber} ${page}`, at]));
  const scoreAt = (documentNumber: number, page: number): number =>
    scores[position.get(`${documentNumber} ${page}`) ?? -1] ?? 0;
  const weight = PARAMETERS.neighbourWeight;
  return Float64Array.from(pages, ({ documentNumber, page }, at) => {
    const neighbours = (scoreAt(documentNumber, page - 1) + scoreAt(documentNumber, page + 1)) / 2;
    return ((scores[at] ?? 0) + weight * neighbours) / (1 + weight);
  });
}

/** Inverse document frequency of pairs by pages; pages that are no candidates hardly hold them. */
function idfOf(
  count: number,
  pages: readonly { readonly hits: PageHits }[],
  indexes: readonly DocumentIndex[],
  holds: (hits: PageHits, pair: number) => boolean,
): Float64Array {
  const total = indexes.reduce((sum, index) => sum + index.pageLengths.length, 0);
  return Float64Array.from({ length: count }, (_, pair) => {
    const frequency = pages.filter(({ hits }) => holds(hits, pair)).length;
    return Math.log(1 + (total - frequency + 0.5) / (frequency + 0.5));
  });
}

function averagesOf(indexes: readonly DocumentIndex[]): Averages {
  let contentWords = 0;
  let words = 0;
  let sentences = 0;
  let pages = 0;
  let headingWords = 0;
  let headedPages = 0;
  for (const index of indexes) {
    contentWords += index.contentWords;
    words += index.tokens.length;
    sentences += index.sentenceStarts.length - 1;
    pages += index.pageLengths.length;
    headingWords += index.headingWords;
    headedPages += index.headedPages;
  }
  return {
    pageLength: Math.max(1, contentWords / Math.max(1, pages)),
    sentenceLength: Math.max(1, contentWords / Math.max(1, sentences)),
    sentenceWords: Math.max(1, words / Math.max(1, sentences)),
    headingLength: Math.max(1, headingWords / Math.max(1, headedPages)),
  };
}

import { collectCandidates, type PageRef } from './collect-candidates.ts';
import type { DocumentIndex } from './document-index.ts';
import { PageReader, type PageHits } from './page-hits.ts';
import { PARAMETERS } from './parameters.ts';
import type { Question } from './question.ts';
import type { VectorScores } from './rank-vectors.ts';
import { RANKERS, type Averages, type RankerContext } from './rankers.ts';

export interface RankedPage extends PageRef {
  readonly hits: PageHits;
  /** 0 to 1; 1 would be the best page by every ranker, holding all words of the question. */
  readonly score: number;
}

type RankerName = keyof typeof RANKERS;
const RANKER_NAMES = Object.keys(RANKERS) as RankerName[];

/**
 * Ranks pages by the weighted mean of several rankers' scores, each relative to its best page. Best first; ties keep the
 * order of the text. `semantic` ranks by vectors alone when there are any.
 */
export function rankPages(
  question: Question,
  indexes: readonly DocumentIndex[],
  vectors?: VectorScores,
  semantic = false,
): RankedPage[] {
  const reader = new PageReader(question);
  const candidates = collectCandidates(question, indexes, PARAMETERS.candidates, vectors);
  const pages = candidates.map((ref) => ({ ...ref, hits: reader.read(ref) }));
  const lexical = semantic && vectors !== undefined ? new Float64Array(pages.length) : fuse(question, indexes, pages);
  const scores = addNeighbours(pages, addVectors(pages, lexical, vectors, semantic));
  const ranked = pages
    .map((page, position) => ({ ...page, score: scores[position] ?? 0 }))
    .toSorted((a, b) => b.score - a.score || a.documentNumber - b.documentNumber || a.page - b.page);
  const [best] = ranked;
  // Rankers only compare pages; that even the best page lacks words of the question lowers all scores alike.
  const share = best === undefined || vectors !== undefined ? 1 : coverage(question, best.hits);
  return ranked.map((page) => ({ ...page, score: page.score * share }));
}

/** The part of the question, by idf, that a page holds. */
function coverage({ concepts, missing }: Question, { relatives, sentences }: PageHits): number {
  let held = 0;
  let total = missing;
  for (const [concept, { idf }] of concepts.entries()) {
    total += idf;
    held += idf * Math.min(1, relatives.count(concept, 0, sentences));
  }
  return total === 0 ? 0 : held / total;
}

function fuse(question: Question, indexes: readonly DocumentIndex[], pages: readonly RankedCandidate[]): Float64Array {
  const context: RankerContext = {
    idf: Float64Array.from(question.concepts, dampen),
    stopIdf: Float64Array.from(question.stopWords, dampen),
    averages: averagesOf(indexes),
    pairIdf: idfOf(question.pairs.length, pages, indexes, (hits, pair) => (hits.pairs[pair] ?? 0) > 0),
    nearPairIdf: idfOf(question.nearPairs.length, pages, indexes, ({ nearPairs, sentences }, pair) => {
      return nearPairs.count(pair, 0, sentences) > 0;
    }),
  };
  const fused = new Float64Array(pages.length);
  let weights = 0;
  for (const name of RANKER_NAMES) {
    const scores = pages.map(({ hits }) => RANKERS[name](hits, context));
    const best = Math.max(0, ...scores);
    if (best === 0) continue;
    const weight = PARAMETERS.weights[name];
    weights += weight;
    for (const [position, score] of scores.entries())
      fused[position] = (fused[position] ?? 0) + (weight * score) / best;
  }
  return weights === 0 ? fused : fused.map((score) => score / weights);
}

/** In one owner's few manuals rare words are rare by chance too; the root keeps one of them from drowning the others. */
function dampen({ idf }: { readonly idf: number }): number {
  return idf ** PARAMETERS.idfPower;
}

type RankedCandidate = PageRef & { readonly hits: PageHits };

function addVectors(
  pages: readonly PageRef[],
  lexical: Float64Array,
  vectors: VectorScores | undefined,
  semantic: boolean,
): Float64Array {
  if (vectors === undefined) return lexical;
  const share = semantic ? 1 : PARAMETERS.vectorShare;
  return lexical.map((score, at) => {
    const page = pages[at];
    return (1 - share) * score + share * (page === undefined ? 0 : (vectors[page.documentNumber]?.[page.page] ?? 0));
  });
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
  pages: readonly RankedCandidate[],
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
  const total = (count: (index: DocumentIndex) => number): number =>
    indexes.reduce((sum, index) => sum + count(index), 0);
  const contentWords = total((index) => index.contentWords);
  const sentences = Math.max(
    1,
    total((index) => index.sentenceStarts.length - 1),
  );
  const pages = Math.max(
    1,
    total((index) => index.pageLengths.length),
  );
  const headedPages = Math.max(
    1,
    total((index) => index.headedPages),
  );
  return {
    pageLength: Math.max(1, contentWords / pages),
    sentenceLength: Math.max(1, contentWords / sentences),
    sentenceWords: Math.max(1, total((index) => index.tokens.length) / sentences),
    headingLength: Math.max(1, total((index) => index.headingWords) / headedPages),
  };
}

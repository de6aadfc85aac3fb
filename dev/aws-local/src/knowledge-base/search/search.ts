import { passageText, type IndexedDocument, type Passage } from '../types.ts';
import type { DocumentIndex } from './document-index.ts';
import { readQuestion } from './question.ts';
import { rankPages, type RankedPage } from './rank-pages.ts';
import { rankPassages } from './rank-passages.ts';
import { scoreVectors } from './rank-vectors.ts';

export interface SearchHit {
  readonly document: IndexedDocument;
  /** Position in the document's passages. */
  readonly ordinal: number;
  readonly passage: Passage;
  readonly text: string;
  /** 0 to 1. */
  readonly score: number;
}

/** This many different pages come first; from there on pages may come again with their other passages. */
const DIVERSE_RESULTS = 10;
/** A page's second passage counts this much of its best, its third this much again. */
const REPEATED_PAGE = 0.5;

export interface SearchRequest {
  readonly text: string;
  /** At most this many passages. */
  readonly limit: number;
  /** The question's vector, where there is one. */
  readonly vector?: Float32Array | undefined;
  /** By vectors alone, when the documents have them too. */
  readonly semantic?: boolean;
}

/** Ranks the passages of these documents; nothing outside of them has any influence. */
export function search(
  indexes: readonly DocumentIndex[],
  { text, limit, vector, semantic }: SearchRequest,
): SearchHit[] {
  const question = readQuestion(text, indexes);
  const vectors = vector === undefined ? undefined : scoreVectors(vector, indexes);
  const idfs = question.concepts.map(({ idf }) => idf);
  const pages = rankPages(question, indexes, vectors, semantic).slice(0, limit);
  return select(
    pages.map((page) => choicesOf(page, idfs, vector)),
    limit,
  ).map(toHit);
}

interface Choice {
  readonly page: RankedPage;
  readonly ordinal: number;
  readonly score: number;
}

function choicesOf(page: RankedPage, idfs: readonly number[], vector: Float32Array | undefined): Choice[] {
  return rankPassages(page, idfs, vector).map((ordinal, repeated) => ({
    page,
    ordinal,
    score: page.score * REPEATED_PAGE ** repeated,
  }));
}

function select(pages: readonly (readonly Choice[])[], limit: number): Choice[] {
  const first = pages.slice(0, DIVERSE_RESULTS).flatMap((choices) => choices.slice(0, 1));
  const rest = pages.flatMap((choices, rank) => (rank < DIVERSE_RESULTS ? choices.slice(1) : choices));
  // Scores must not rise along the list, as they do not in Bedrock's answers.
  let ceiling = 1;
  return [...first, ...rest.toSorted((a, b) => b.score - a.score)].slice(0, limit).map((choice) => {
    ceiling = Math.min(ceiling, choice.score);
    return { ...choice, score: ceiling };
  });
}

function toHit({ page, ordinal, score }: Choice): SearchHit {
  const { document } = page.index;
  const passage = document.passages[ordinal] ?? { page: page.page, first: 0, end: 0 };
  return { document, ordinal, passage, text: passageText(document, passage), score };
}

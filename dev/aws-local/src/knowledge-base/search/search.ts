import { passageText, type IndexedDocument, type Passage } from '../types.ts';
import type { DocumentIndex } from './document-index.ts';
import { readQuestion } from './question.ts';
import { rankPages, type RankedPage } from './rank-pages.ts';
import { rankPassages } from './rank-passages.ts';

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

/** Ranks the passages of these documents; nothing outside of them has any influence. */
export function search(indexes: readonly DocumentIndex[], text: string, limit: number): SearchHit[] {
  const question = readQuestion(text, indexes);
  if (question.concepts.length === 0) return [];
  const pages = rankPages(question, indexes);
  return select(
    pages.map((page) =>
      hitsOf(
        page,
        question.concepts.map(({ idf }) => idf),
      ),
    ),
    limit,
  );
}

function hitsOf(page: RankedPage, idfs: readonly number[]): SearchHit[] {
  const { document } = page.index;
  return rankPassages(page, idfs).map((ordinal, repeated) => {
    const passage = document.passages[ordinal] ?? { page: page.page, first: 0, end: 0 };
    return {
      document,
      ordinal,
      passage,
      text: passageText(document, passage),
      score: page.score * REPEATED_PAGE ** repeated,
    };
  });
}

function select(pages: readonly (readonly SearchHit[])[], limit: number): SearchHit[] {
  const first = pages.slice(0, DIVERSE_RESULTS).flatMap((hits) => hits.slice(0, 1));
  const rest = pages.flatMap((hits, rank) => (rank < DIVERSE_RESULTS ? hits.slice(1) : hits));
  // Scores must not rise along the list, as they do not in Bedrock's answers.
  let ceiling = 1;
  return [...first, ...rest.toSorted((a, b) => b.score - a.score)].slice(0, limit).map((hit) => {
    ceiling = Math.min(ceiling, hit.score);
    return { ...hit, score: ceiling };
  });
}

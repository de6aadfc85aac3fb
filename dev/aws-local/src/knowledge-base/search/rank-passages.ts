import type { Passage } from '../types.ts';
import type { RankedPage } from './rank-pages.ts';
import { dot } from './rank-vectors.ts';

const NEAR_PAIR = 0.1;

/**
 * The page's passages by how much of the question they hold, best first. Those that hold nothing of it are left out,
 * unless a vector speaks for them.
 */
export function rankPassages(page: RankedPage, idfs: readonly number[], vector: Float32Array | undefined): number[] {
  const { document, passageStarts } = page.index;
  const total = idfs.reduce((sum, idf) => sum + idf, 0);
  const ranked: { ordinal: number; score: number }[] = [];
  const end = passageStarts[page.page + 1] ?? 0;
  for (let ordinal = passageStarts[page.page] ?? 0; ordinal < end; ordinal += 1) {
    const passage = document.passages[ordinal];
    const other = document.vectors?.[ordinal];
    if (passage === undefined) continue;
    const words = total === 0 ? 0 : scoreWords(passage, page, idfs) / total;
    const meaning = vector === undefined || other?.length !== vector.length ? 0 : Math.max(0, dot(vector, other));
    if (words + meaning > 0) ranked.push({ ordinal, score: words + meaning });
  }
  return ranked.toSorted((a, b) => b.score - a.score || a.ordinal - b.ordinal).map(({ ordinal }) => ordinal);
}

function scoreWords({ first, end }: Passage, { hits }: RankedPage, idfs: readonly number[]): number {
  let score = 0;
  for (const [concept, idf] of idfs.entries()) {
    const count = hits.relatives.count(concept, first, end);
    score += (idf * count) / (count + 0.5);
  }
  for (let pair = 0; pair < hits.nearPairs.terms; pair += 1)
    score += NEAR_PAIR * hits.nearPairs.count(pair, first, end);
  return score;
}

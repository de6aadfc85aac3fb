import type { RankedPage } from './rank-pages.ts';

/** The page's passages by how much of the question they hold, best first; those that hold nothing are left out. */
export function rankPassages({ index, page, hits }: RankedPage, idfs: readonly number[]): number[] {
  const ranked: { ordinal: number; score: number }[] = [];
  for (const [ordinal, passage] of index.document.passages.entries()) {
    if (passage.page !== page) continue;
    const sentences = hits.sentences.slice(passage.first, passage.end);
    let score = 0;
    for (const [concept, idf] of idfs.entries()) {
      const count = sentences.reduce((sum, sentence) => sum + (sentence.relatives[concept] ?? 0), 0);
      score += (idf * count) / (count + 0.5);
    }
    for (const sentence of sentences) score += 0.1 * sentence.nearPairs.reduce((sum, count) => sum + count, 0);
    if (score > 0) ranked.push({ ordinal, score });
  }
  return ranked.toSorted((a, b) => b.score - a.score || a.ordinal - b.ordinal).map(({ ordinal }) => ordinal);
}

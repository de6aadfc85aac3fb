import type { IndexedDocument, Passage } from '../types.ts';
import { terms, type DocumentIndex } from './document-index.ts';

export interface SearchHit {
  readonly document: IndexedDocument;
  readonly ordinal: number;
  readonly passage: Passage;
  readonly score: number;
}

const K1 = 0.9;
const B = 0.4;

/** Ranks the passages of these documents; nothing outside of them has any influence. */
export function search(indexes: readonly DocumentIndex[], question: string, limit: number): SearchHit[] {
  const passages = indexes.reduce((sum, index) => sum + index.lengths.length, 0);
  const average = indexes.reduce((sum, index) => sum + index.totalLength, 0) / Math.max(1, passages);
  const scores = indexes.map((index) => new Float64Array(index.lengths.length));
  for (const term of new Set(terms(question))) {
    const frequency = indexes.reduce((sum, index) => sum + (index.postings.get(term)?.length ?? 0) / 2, 0);
    const idf = Math.log(1 + (passages - frequency + 0.5) / (frequency + 0.5));
    for (const [number, index] of indexes.entries()) {
      const posting = index.postings.get(term) ?? [];
      const score = scores[number];
      if (score === undefined) continue;
      for (let at = 0; at < posting.length; at += 2) {
        const ordinal = posting[at] ?? 0;
        const count = posting[at + 1] ?? 0;
        const norm = K1 * (1 - B + (B * (index.lengths[ordinal] ?? 0)) / average);
        score[ordinal] = (score[ordinal] ?? 0) + (idf * count) / (count + norm);
      }
    }
  }
  return collect(indexes, scores, limit);
}

function collect(indexes: readonly DocumentIndex[], scores: readonly Float64Array[], limit: number): SearchHit[] {
  const hits: SearchHit[] = [];
  for (const [number, { document }] of indexes.entries()) {
    for (const [ordinal, passage] of document.passages.entries()) {
      const score = scores[number]?.[ordinal] ?? 0;
      if (score > 0) hits.push({ document, ordinal, passage, score: score / (score + 5) });
    }
  }
  return hits
    .toSorted((a, b) => b.score - a.score || a.document.id.localeCompare(b.document.id) || a.ordinal - b.ordinal)
    .slice(0, limit);
}

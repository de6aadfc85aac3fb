import { stem, words } from '../analysis/tokenize.ts';
import { STOP_WORDS } from '../analysis/stop-words.ts';
import type { IndexedDocument } from '../types.ts';

/** Term statistics of one document. A search merges those of the documents that pass its filter and of no others. */
export interface DocumentIndex {
  readonly document: IndexedDocument;
  /** Term -> pairs of (passage, frequency). */
  readonly postings: ReadonlyMap<string, readonly number[]>;
  readonly lengths: Uint32Array;
  readonly totalLength: number;
}

export function terms(text: string): string[] {
  return words(text)
    .filter((word) => !STOP_WORDS.has(word))
    .map(stem);
}

export function indexDocument(document: IndexedDocument): DocumentIndex {
  const postings = new Map<string, number[]>();
  const lengths = new Uint32Array(document.passages.length);
  let totalLength = 0;
  for (const [ordinal, passage] of document.passages.entries()) {
    const counts = new Map<string, number>();
    const list = terms(passage.text);
    for (const term of list) counts.set(term, (counts.get(term) ?? 0) + 1);
    for (const [term, count] of counts) {
      const posting = postings.get(term);
      if (posting === undefined) postings.set(term, [ordinal, count]);
      else posting.push(ordinal, count);
    }
    lengths[ordinal] = list.length;
    totalLength += list.length;
  }
  return { document, postings, lengths, totalLength };
}

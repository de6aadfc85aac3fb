import type { DocumentIndex } from './document-index.ts';

/** By document number and page: the highest cosine of the question and one of the page's passages, made relative (0 to 1). */
export type VectorScores = readonly Float32Array[];

/**
 * Undefined unless every document has vectors of the question's length: pages without vectors would sink below those
 * that have them for no other reason than that.
 */
export function scoreVectors(vector: Float32Array, indexes: readonly DocumentIndex[]): VectorScores | undefined {
  const complete = indexes.every(({ document: { vectors, passages } }) => {
    return vectors?.length === passages.length && vectors.every((other) => other.length === vector.length);
  });
  return complete && indexes.length > 0 ? toRelative(indexes.map((index) => bestByPage(vector, index))) : undefined;
}

function bestByPage(vector: Float32Array, { document }: DocumentIndex): Float32Array {
  const best = new Float32Array(document.pages.length).fill(-1);
  for (const [ordinal, { page }] of document.passages.entries()) {
    const other = document.vectors?.[ordinal];
    if (other !== undefined) best[page] = Math.max(best[page] ?? -1, dot(vector, other));
  }
  return best;
}

/** Models spread their cosines over different narrow ranges, so only the distance between worst and best counts. */
function toRelative(scores: readonly Float32Array[]): Float32Array[] {
  let low = 1;
  let high = -1;
  for (const pages of scores) {
    for (const score of pages) {
      low = Math.min(low, score);
      high = Math.max(high, score);
    }
  }
  const span = high - low;
  return scores.map((pages) => pages.map((score) => (span <= 0 ? 1 : (score - low) / span)));
}

/** The cosine, of vectors of unit length. */
export function dot(a: Float32Array, b: Float32Array): number {
  let sum = 0;
  for (let at = 0; at < a.length; at += 1) sum += (a[at] ?? 0) * (b[at] ?? 0);
  return sum;
}

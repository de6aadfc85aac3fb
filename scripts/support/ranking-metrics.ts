export interface RankedQuestion {
  /** Pages in the order they were found, each once. */
  readonly ranked: readonly number[];
  /** The one page that answers the question. */
  readonly relevant: number;
}

export interface RankingMetrics {
  readonly ndcg_at_10: number;
  readonly recall_at_1: number;
  readonly recall_at_5: number;
  readonly recall_at_10: number;
}

const rounded = (value: number): number => Math.round(value * 10_000) / 10_000;

/**
 * Means over the questions. With one relevant page, nDCG@10 is 1 / log2(1 + its rank), 0 beyond the tenth
 * (Järvelin and Kekäläinen 2002; the ideal ranking has it first).
 */
export function rankingMetrics(questions: readonly RankedQuestion[]): RankingMetrics {
  const rankOf = ({ ranked, relevant }: RankedQuestion): number => ranked.indexOf(relevant) + 1;
  const mean = (score: (rank: number) => number): number =>
    rounded(questions.reduce((sum, question) => sum + score(rankOf(question)), 0) / Math.max(1, questions.length));
  const within = (k: number) => (rank: number) => (rank > 0 && rank <= k ? 1 : 0);
  return {
    ndcg_at_10: mean((rank) => (within(10)(rank) ? 1 / Math.log2(1 + rank) : 0)),
    recall_at_1: mean(within(1)),
    recall_at_5: mean(within(5)),
    recall_at_10: mean(within(10)),
  };
}

/** The value that `share` of the sorted values do not pass (nearest rank). */
export function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? 0;
}

import { expect, test } from '@jest/globals';
import { percentile, rankingMetrics } from './ranking-metrics.ts';

test('scores by the rank of the one relevant page', () => {
  const ranked = [5, 3, 9, 1, 2, 4, 6, 7, 8, 10, 11];
  const at = (relevant: number) => rankingMetrics([{ ranked, relevant }]);
  expect(at(5)).toEqual({ ndcg_at_10: 1, recall_at_1: 1, recall_at_5: 1, recall_at_10: 1 });
  expect(at(3)).toEqual({ ndcg_at_10: 0.6309, recall_at_1: 0, recall_at_5: 1, recall_at_10: 1 });
  expect(at(4)).toMatchObject({ recall_at_5: 0, recall_at_10: 1 });
  expect(at(11)).toEqual({ ndcg_at_10: 0, recall_at_1: 0, recall_at_5: 0, recall_at_10: 0 });
  expect(at(99).ndcg_at_10).toBe(0);
  expect(
    rankingMetrics([
      { ranked, relevant: 5 },
      { ranked, relevant: 99 },
    ]).recall_at_1,
  ).toBe(0.5);
});

test('a percentile is a value that occurred', () => {
  const values = Array.from({ length: 100 }, (_, index) => 100 - index);
  expect([percentile(values, 0.5), percentile(values, 0.95), percentile([], 0.5)]).toEqual([50, 95, 0]);
});

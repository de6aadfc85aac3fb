import { expect, test } from '@jest/globals';
import { buildArpa } from './build-arpa.ts';

interface Arpa {
  readonly counts: number[];
  readonly grams: Map<string, { probability: number; backoff: number }>;
}

function parse(text: string): Arpa {
  const counts = [...text.matchAll(/^ngram \d=(\d+)$/gm)].map((match) => Number(match[1]));
  const grams = new Map<string, { probability: number; backoff: number }>();
  for (const match of text.matchAll(/^(-?[\d.]+)\t([^\t\n]+)(?:\t(-?[\d.]+))?$/gm)) {
    grams.set(match[2] ?? '', { probability: 10 ** Number(match[1]), backoff: 10 ** Number(match[3] ?? 0) });
  }
  return { counts, grams };
}

/** p(word | history) as a decoder reads it from the file. */
function probability({ grams }: Arpa, history: readonly string[], word: string): number {
  const direct = grams.get([...history, word].join(' '));
  if (direct !== undefined) return direct.probability;
  if (history.length === 0) return 0;
  return (grams.get(history.join(' '))?.backoff ?? 1) * probability({ counts: [], grams }, history.slice(1), word);
}

const vocabulary = new Set(['press', 'the', 'red', 'button', 'open', 'door', 'never', 'heard']);
const arpa = parse(
  buildArpa(
    [
      { words: ['press', 'the', 'red', 'button'], weight: 1 },
      { words: ['press', 'the', 'button'], weight: 2 },
      { words: ['open', 'the', 'unknown', 'door'], weight: 0.5 },
    ],
    vocabulary,
  ),
);

test('says how many n-grams it holds', () => {
  const sizes = [1, 2, 3].map(
    (order) => [...arpa.grams.keys()].filter((gram) => gram.split(' ').length === order).length,
  );
  expect(arpa.counts).toEqual(sizes);
});

test.each([[[]], [['<s>']], [['the']], [['press', 'the']], [['open', 'the']], [['never']], [['never', 'heard']]])(
  'the probabilities after "%j" add up to one',
  (history) => {
    const sum = [...vocabulary, '</s>'].reduce((total, word) => total + probability(arpa, history, word), 0);
    expect(sum).toBeCloseTo(1, 2);
  },
);

test('what was said often is likelier, and nothing is impossible', () => {
  expect(probability(arpa, ['press', 'the'], 'button')).toBeGreaterThan(probability(arpa, ['press', 'the'], 'red'));
  expect(probability(arpa, ['press', 'the'], 'red')).toBeGreaterThan(probability(arpa, ['press', 'the'], 'never'));
  expect(probability(arpa, ['press', 'the'], 'never')).toBeGreaterThan(0);
});

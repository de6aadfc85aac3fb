import type { QueryResult } from '@manuel/contracts';
import { startAnswerStack } from '../support/answer-stack.ts';
import type { Scenario } from '../support/scenario.ts';

const asked = 600;
const distinct = 150;
/** Few questions are asked often, many once: the k-th most common 1/k as often as the first (Zipf, exponent 1). */
const exponent = 1;

const things = ['descale', 'clean', 'fill', 'empty', 'warm up', 'switch on', 'switch off', 'store', 'move', 'repair'];
const parts = [
  'machine',
  'tank',
  'grinder',
  'steam wand',
  'filter',
  'drip tray',
  'pump',
  'boiler',
  'hopper',
  'display',
];
const question = (k: number): string =>
  `How do I ${things[k % 10]} the ${parts[Math.floor(k / 10) % 10]}${k < 100 ? '' : ' at night'}?`;

/** The same day every time. */
function randomOf(seed: number): () => number {
  let state = seed;
  return () => {
    // Mulberry32.
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}

function* zipf(): Generator<number> {
  const weights = Array.from({ length: distinct }, (_, k) => 1 / (k + 1) ** exponent);
  const all = weights.reduce((sum, weight) => sum + weight, 0);
  const random = randomOf(1);
  for (;;) {
    let left = random() * all;
    yield Math.max(
      0,
      weights.findIndex((weight) => (left -= weight) <= 0),
    );
  }
}

export const day: Scenario = {
  name: 'day',
  title: `A day of ${asked} questions, Zipf-distributed over ${distinct}`,
  async run() {
    const house = await startAnswerStack();
    try {
      await house.upstreamCalls();
      let hits = 0;
      let n = 0;
      for (const k of zipf()) {
        if ((n += 1) > asked) break;
        const response = await house.client.fetch('/api/query', {
          json: { question: question(k) },
          headers: { prefer: 'wait=30' },
        });
        if (((await response.json()) as QueryResult).from_cache) hits += 1;
      }
      const calls = await house.upstreamCalls();
      return [
        { what: 'answered from the cache', ours: (100 * hits) / asked, unit: '%' },
        { what: 'calls of Bedrock', ours: calls, base: 2 * asked, unit: 'calls', against: 'two for every question' },
      ];
    } finally {
      await house.close();
    }
  },
};

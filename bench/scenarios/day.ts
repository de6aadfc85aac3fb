import type { QueryResult } from '@manuel/contracts';
import { startAnswerStack } from '../support/answer-stack.ts';
import { randomOf, zipfOf } from '../support/random.ts';
import type { Scenario } from '../support/scenario.ts';

const asked = 600;
const distinct = 150;

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

export const day: Scenario = {
  name: 'day',
  title: `A day of ${asked} questions, Zipf-distributed over ${distinct}`,
  async run() {
    const house = await startAnswerStack();
    try {
      await house.upstreamCalls();
      const next = zipfOf(distinct, randomOf(1));
      let hits = 0;
      for (let n = 0; n < asked; n += 1) {
        const response = await house.client.fetch('/api/query', {
          json: { question: question(next()) },
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

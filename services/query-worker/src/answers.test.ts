import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type LocalStack, newUserId, startLocalStack } from './test-support/local-stack.ts';

const kettle = [
  'AquaBoil 300 kettle. User manual. Contents: safety, first use, descaling, warranty.',
  'Safety. Never put the kettle into water. Unplug the kettle before cleaning it. Keep the cord away from hot surfaces.',
  'Descaling. To descale the kettle, fill it with half a litre of water and 50 ml of citric acid. Let the solution work for 30 minutes. Rinse the kettle three times with fresh water. Descale the kettle every three months.',
  'Warranty. The warranty covers two years from the date of purchase. It does not cover damage by limescale.',
];
const heater = [
  'HeatMaster fan heater. Never cover the heater. Keep one metre of distance to curtains.',
  'Cleaning. Vacuum the grille of the heater once a month. The thermostat is set by the round knob on top.',
];

let stack: LocalStack;
const ann = newUserId();
const bob = newUserId();
let kettleId: string;
let heaterId: string;

beforeAll(async () => {
  stack = await startLocalStack({ cache: { enabled: false } });
  kettleId = await stack.addManual(ann, kettle, 'kettle.txt');
  heaterId = await stack.addManual(bob, heater, 'heater.txt');
});
afterAll(() => stack.close());

test('answers with citations: manual, 1-based page, verbatim excerpt, the span that it supports; tokens make up the answer', async () => {
  const { result, tokens, steps } = await stack.ask(ann, 'How do I descale the kettle?');
  const { answer, citations } = result.result;
  expect(answer).toMatch(/half a litre of water and 50 ml of citric acid/);
  expect(tokens.join('')).toBe(answer);
  expect(tokens.length).toBeGreaterThan(5);
  expect(citations[0]).toMatchObject({ manual_id: kettleId, filename: 'kettle.txt', page: 3 });
  for (const citation of citations) {
    expect(kettle[(citation.page ?? 0) - 1]).toContain(citation.excerpt);
    const [start, end] = citation.span;
    expect(answer.slice(start, end).trim().length).toBeGreaterThan(10);
    expect(kettle.join(' ')).toContain(answer.slice(start, end));
  }
  expect(result.result).toMatchObject({ context_used: true, degradation: 'none', from_cache: false });
  expect(result.tokens?.output).toBeGreaterThan(0);
  expect(result.charged).toBe(true);
  expect(steps).toEqual(['retrieving 20', 'answering 50']);
});

test('another user gets nothing of it, and says so in the persona’s words', async () => {
  const { result, tokens } = await stack.ask(bob, 'How do I descale the kettle?', { persona: 'expert' });
  expect(result.result.answer).toBe(stack.settings.personas.expert.no_answer);
  expect(tokens.join('')).toBe(result.result.answer);
  expect(result.result.citations).toEqual([]);
  const named = await stack.ask(bob, 'How do I descale the kettle?', { manual_ids: [kettleId] });
  expect(JSON.stringify(named.result.result)).not.toMatch(/citric|kettle\.txt/);
});

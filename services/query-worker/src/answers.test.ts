import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { newConversationId } from '@manuel/contracts';
import { type LocalStack, newUserId, startLocalStack } from './test-support/local-stack.ts';

const kettle = [
  'AquaBoil 300 kettle. User manual. Contents: safety, first use, descaling, warranty.',
  'Safety. Never put the kettle into water. Unplug the kettle before cleaning it. Keep the cord away from hot surfaces.',
  'Descaling. To descale the kettle, fill it with half a litre of water and 50 ml of citric acid. Let the solution work for 30 minutes. Rinse the kettle three times with fresh water. Descale the kettle every three months.',
  'Warranty. The warranty covers two years from the date of purchase. It does not cover damage by limescale.',
];
const heater = [
  'HeatMaster fan heater. Never cover the heater. Keep one metre of distance to curtains.',
  'Cleaning. Vacuum the grille of the heater once a month. The warranty of the heater covers five years.',
];

let stack: LocalStack;
const ann = newUserId();
const bob = newUserId();
let kettleId: string;
let heaterId: string;

beforeAll(async () => {
  stack = await startLocalStack({ cache: { enabled: false } });
  kettleId = await stack.addManual(ann, kettle, 'kettle.txt');
  heaterId = await stack.addManual(ann, heater, 'heater.txt');
  await stack.addManual(bob, heater, 'heater.txt');
});
afterAll(() => stack.close());

describe('a full answer', () => {
  test('cites manual, 1-based page, verbatim excerpt and the span that it supports; tokens make up the answer', async () => {
    const { result, tokens, steps } = await stack.ask(ann, 'How do I descale the kettle?');
    const { answer, citations } = result.result;
    expect(answer).toMatch(/half a litre of water and 50 ml of citric acid/);
    expect(tokens.join('')).toBe(answer);
    expect(tokens.length).toBeGreaterThan(5);
    expect(citations[0]).toMatchObject({ manual_id: kettleId, filename: 'kettle.txt', page: 3 });
    for (const citation of citations) {
      expect(kettle[(citation.page ?? 0) - 1]).toContain(citation.excerpt);
      const supported = answer.slice(...citation.span);
      expect(supported.trim()).toBe(supported);
      expect(kettle.join(' ')).toContain(supported);
    }
    expect(result.result).toMatchObject({
      context_used: true,
      degradation: 'none',
      from_cache: false,
      model: stack.settings.models.text_model_id,
    });
    expect(result.tokens?.output).toBeGreaterThan(0);
    expect(result.charged).toBe(true);
    expect(steps).toEqual(['retrieving 20', 'answering 50']);
    expect(result.result.passages?.[0]).toMatchObject({ manual_id: kettleId, page: 3 });
  });

  test('cites the same by parsed markers where the model has no search results, and shows no marker', async () => {
    const markers = await stack.another({ models: { citations: 'markers' }, cache: { enabled: false } });
    const native = await stack.ask(ann, 'How do I descale the kettle?');
    const { result, tokens } = await stack.ask(ann, 'How do I descale the kettle?', { context: markers });
    expect(result.result.answer).toBe(native.result.result.answer);
    expect(tokens.join('')).toBe(result.result.answer);
    const places = (asked: typeof native) => asked.result.result.citations.map(({ page, span }) => ({ page, span }));
    expect(result.result.citations.map(({ page, span }) => ({ page, span }))).toEqual(places(native));
  });

  test('is looked up only in the manuals asked for, and by each persona in its own words', async () => {
    const only = await stack.ask(ann, 'How many years does the warranty cover?', { manual_ids: [heaterId] });
    expect(only.result.result.answer).toContain('five years');
    expect(new Set(only.result.result.citations.map((citation) => citation.manual_id))).toEqual(new Set([heaterId]));
    for (const persona of ['default', 'beginner', 'expert'] as const) {
      const { result } = await stack.ask(ann, 'What is the capital of Mongolia?', { persona });
      expect(result.result).toMatchObject({ answer: stack.settings.personas[persona].no_answer, citations: [] });
    }
  });

  test('of a voice question bears what was heard, and the percentages of the whole', async () => {
    const { result, steps } = await stack.ask(ann, 'how do i descale the kettle', {
      operation: 'voice',
      transcription: 'how do i descale the kettle',
    });
    expect(result.result.transcription).toBe('how do i descale the kettle');
    expect(steps).toEqual(['retrieving 50', 'answering 70']);
  });
});

describe('isolation', () => {
  test('another user gets nothing of it, asked for by name or not', async () => {
    for (const options of [{}, { manual_ids: [kettleId] }]) {
      const { result, tokens } = await stack.ask(bob, 'How do I descale the kettle?', options);
      expect(result.result).toMatchObject({ answer: stack.settings.personas.default.no_answer, citations: [] });
      expect(tokens.join('')).toBe(result.result.answer);
      expect(JSON.stringify(result.result)).not.toMatch(/citric|kettle\.txt/);
    }
  });

  test('a manual that is being deleted is out of every search at once, though the index still holds it', async () => {
    const user = newUserId();
    const gone = await stack.addManual(user, kettle, 'kettle.txt');
    await stack.addManual(user, heater, 'heater.txt');
    await stack.context.ledger.manuals.update(user, gone, { status: 'deleting' });
    await stack.context.cache.bumpVersion(user);
    for (const options of [{}, { manual_ids: [gone] }]) {
      const { result } = await stack.ask(user, 'How do I descale the kettle?', options);
      expect(JSON.stringify(result.result)).not.toMatch(/citric|kettle\.txt/);
      expect(result.result.passages?.every((passage) => passage.manual_id !== gone)).toBe(true);
    }
  });

  test('a user with no manual is told so, without a call to Bedrock, and is not charged', async () => {
    await stack.calls();
    const { result } = await stack.ask(newUserId(), 'How do I descale it?', { persona: 'beginner' });
    expect(result.result).toMatchObject({
      answer: stack.settings.personas.beginner.no_manuals,
      citations: [],
      model: 'none',
      context_used: false,
    });
    expect(result.charged).toBe(false);
    const calls = await stack.calls();
    expect([calls['bedrock-runtime'], calls['bedrock-agent-runtime']]).toEqual([undefined, undefined]);
  });
});

describe('a conversation', () => {
  test('makes a follow-up stand alone before it is searched, and stays its owner’s', async () => {
    const first = await stack.ask(ann, 'How do I descale the kettle?');
    const id = first.result.result.conversation_id;
    const next = await stack.ask(ann, 'And how often?', { conversation_id: id });
    expect(next.result.result.answer).toContain('every three months');
    expect(next.result.result.conversation_id).toBe(id);
    expect(await stack.context.conversations.turns(ann, id)).toMatchObject([
      { question: 'How do I descale the kettle?' },
      { question: 'And how often?' },
    ]);
    expect(await stack.context.conversations.turns(bob, id)).toEqual([]);
  });

  test('goes on when the model cannot rewrite, by the question before it', async () => {
    const id = newConversationId();
    await stack.ask(ann, 'How do I descale the kettle?', { conversation_id: id });
    await stack.chaos({ service: 'bedrock-runtime', operation: 'Converse', fault: 'error' });
    const { result } = await stack.ask(ann, 'And how often?', { conversation_id: id });
    await stack.calm();
    expect(result.result.degradation).toBe('none');
    expect(result.result.answer).toContain('every three months');
  });
});

test('guardrail and inference profile are asked for when configured, and no ARN reaches the client', async () => {
  const profile = 'arn:aws:bedrock:eu-west-1:123456789012:inference-profile/eu.anthropic.claude-sonnet-4-20250514-v1:0';
  const context = await stack.another({
    cache: { enabled: false },
    models: { inference_profile_arn: profile, guardrail_id: 'gr1abc', guardrail_version: '1' },
  });
  const { result } = await stack.ask(ann, 'How do I descale the kettle?', { context });
  expect(result.result.degradation).toBe('none');
  expect(JSON.stringify(result.result)).not.toContain('arn:');
  const wrong = await stack.another({
    cache: { enabled: false },
    models: { guardrail_id: 'gr1abc', guardrail_version: 'newest' },
  });
  // Bedrock refuses an unknown version, which shows that it was sent.
  const refused = await stack.ask(ann, 'How do I descale the kettle?', { context: wrong });
  expect(refused.result.result.degradation).toBe('simplified');
});

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { startAwsLocal, type AwsLocal } from '../../../dev/aws-local/src/start.ts';
import { createResilience, type Resilience } from '@manuel/resilience';
import { settingsWith } from '@manuel/settings';
import { createMetrics, silentLogger } from '@manuel/telemetry';
import { ownerFilter } from './bedrock-agent-runtime.ts';
import { type BedrockRuntime, createBedrockRuntime } from './bedrock-runtime.ts';
import { type AnswerPiece, citationStyle } from './bedrock/answer-pieces.ts';

const settings = settingsWith({
  retry: { bedrock: { strategy: 'fixed', base_delay_ms: 1, max_delay_ms: 1, max_retries: 2, jitter: false } },
});
let aws: AwsLocal;
let dir: string;
let resilience: Resilience;
let model: BedrockRuntime;

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'bedrock-'));
  aws = await startAwsLocal({ dir });
  Object.assign(process.env, {
    AWS_ENDPOINT_URL: aws.endpoint,
    AWS_ACCESS_KEY_ID: 'local',
    AWS_SECRET_ACCESS_KEY: 'local',
  });
  resilience = createResilience({ settings, logger: silentLogger(), metrics: createMetrics('test') });
  model = createBedrockRuntime({ settings, resilience });
});
afterEach(() => fetch(`${aws.endpoint}/_chaos`, { method: 'DELETE' }));
afterAll(async () => {
  model.close();
  await resilience.close();
  await aws.close();
  await rm(dir, { recursive: true, force: true });
});

const chaos = (fault: object): Promise<Response> =>
  fetch(`${aws.endpoint}/_chaos`, { method: 'POST', body: JSON.stringify({ service: 'bedrock-runtime', ...fault }) });
const request = {
  system: 'Answer from the passages.',
  turns: [],
  question: 'How do I descale the kettle?',
  passages: [{ title: 'k.pdf', source: 'manual:k', blocks: ['To descale the kettle, use 50 ml of citric acid.'] }],
};
const stream = async (): Promise<AnswerPiece[]> => {
  const pieces: AnswerPiece[] = [];
  await model.streamAnswer(request, (piece) => pieces.push(piece));
  return pieces;
};

test('streams text, citation and the end of each segment, and counts tokens', async () => {
  const pieces: AnswerPiece[] = [];
  const end = await model.streamAnswer(request, (piece) => pieces.push(piece));
  expect(pieces.map((piece) => (piece.kind === 'text' ? piece.text : '')).join('')).toContain('50 ml of citric acid.');
  expect(pieces.at(-2)).toMatchObject({ kind: 'citation', passage: 0, blocks: [0, 1] });
  expect(pieces.at(-1)).toEqual({ kind: 'segment-end' });
  expect(end).toMatchObject({ stop: 'end' });
  expect(end.tokens.output).toBeGreaterThan(3);
});

test('what fails before the first word is tried again, what fails after it is not', async () => {
  await chaos({ fault: 'throttle', count: 2 });
  expect((await stream()).length).toBeGreaterThan(3);
  await fetch(`${aws.endpoint}/_calls`, { method: 'DELETE' });
  await chaos({ fault: 'error', after_events: 4 });
  await expect(stream()).rejects.toMatchObject({ name: 'ManuelError', retryable: false });
  const calls = (await (await fetch(`${aws.endpoint}/_calls`)).json()) as Record<string, Record<string, number>>;
  expect(calls['bedrock-runtime']).toEqual({ ConverseStream: 1 });
  // It came after HTTP 200 and was counted all the same.
  const [breaker] = (await resilience.breakers()).filter(({ name }) => name === 'bedrock:ConverseStream');
  expect(breaker?.consecutive_failures).toBe(1);
});

test('rewrites, and makes the model call a tool with arguments of its schema', async () => {
  const turns = [{ question: 'How do I descale the kettle?', answer: 'With citric acid.' }];
  const { text } = await model.complete({
    system: 'Task: rewrite-question',
    turns,
    question: 'and how often?',
    maxTokens: 50,
  });
  expect(text).toMatch(/how often.*kettle/i);
  const tool = {
    name: 'filter_pets',
    description: 'Filters the collection',
    schema: {
      type: 'object',
      properties: {
        filters: {
          type: 'array',
          items: {
            type: 'object',
            properties: {
              field: { type: 'string', enum: ['type', 'price'], description: 'price (number, euros)' },
              op: { type: 'string', enum: ['eq', 'lt', 'gt'] },
              value: {},
            },
          },
        },
      },
    },
  };
  const called = await model.callTool({ system: 'Extract filters.', text: 'dogs under 600', tool });
  expect(called.input).toMatchObject({ filters: expect.arrayContaining([{ field: 'price', op: 'lt', value: 600 }]) });
  expect(called.tokens.input).toBeGreaterThan(0);
});

test('models without search results cite by markers', () => {
  const auto = (text_model_id: string) => citationStyle({ citations: 'auto', text_model_id });
  expect(auto('anthropic.claude-3-5-sonnet-20241022-v2:0')).toBe('native');
  expect(auto('eu.anthropic.claude-sonnet-4-20250514-v1:0')).toBe('native');
  expect(auto('anthropic.claude-3-haiku-20240307-v1:0')).toBe('markers');
  expect(auto('meta.llama3-70b-instruct-v1:0')).toBe('markers');
  expect(citationStyle({ citations: 'markers', text_model_id: 'anthropic.claude-sonnet-4' })).toBe('markers');
});

test('no search is without its owner, and narrowing never replaces the owner', () => {
  const owner = { equals: { key: 'user_id', value: 'ann' } };
  expect(ownerFilter({ ownerId: 'ann' })).toEqual(owner);
  expect(ownerFilter({ ownerId: 'ann', exceptManualIds: [] })).toEqual(owner);
  expect(ownerFilter({ ownerId: 'ann', manualIds: ['m1'], exceptManualIds: ['m2'] })).toEqual({
    andAll: [owner, { in: { key: 'manual_id', value: ['m1'] } }, { notIn: { key: 'manual_id', value: ['m2'] } }],
  });
});

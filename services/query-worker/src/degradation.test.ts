import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { waitFor } from '@manuel/testing';
import { type LocalStack, newUserId, startLocalStack } from './test-support/local-stack.ts';

const pages = [
  'Descaling. To descale the kettle, fill it with half a litre of water and 50 ml of citric acid. Let it work for 30 minutes.',
  'Warranty. The warranty covers two years from the date of purchase.',
];

let stack: LocalStack;
let user: string;

beforeAll(async () => {
  stack = await startLocalStack({
    retry: { bedrock: { strategy: 'fixed', base_delay_ms: 20, max_delay_ms: 20, jitter: false } },
  });
});
afterAll(() => stack.close());
afterEach(async () => {
  await stack.calm();
  for (const name of ['bedrock:ConverseStream', 'bedrock:Converse', 'knowledge-base:Retrieve']) {
    await stack.context.resilience.reset(name);
  }
});

const fresh = async (): Promise<string> => {
  user = newUserId();
  await stack.addManual(user, pages, 'kettle.txt');
  return user;
};
/** Different questions of the same meaning, so that none is answered from the cache. */
const question = (n: number): string => `How do I descale the kettle, model ${n}?`;

test('with generation throttled a question is answered by quotations with citations, and that is charged', async () => {
  await fresh();
  await stack.chaos({ service: 'bedrock-runtime', fault: 'throttle' });
  const { result, tokens } = await stack.ask(user, 'How do I descale the kettle?');
  expect(result.result).toMatchObject({ degradation: 'simplified', model: 'none', from_cache: false });
  expect(result.charged).toBe(true);
  expect(result.result.answer).toContain('50 ml of citric acid');
  expect(tokens.join('')).toBe(result.result.answer);
  const [citation] = result.result.citations;
  expect(citation).toMatchObject({ filename: 'kettle.txt', page: 1 });
  expect(pages[0]).toContain(citation!.excerpt);
  expect(result.result.answer.slice(...citation!.span)).toBe(citation!.excerpt);
});

test('with the knowledge base down too, a cached answer to a similar question serves, its question shown, and is free', async () => {
  await fresh();
  const full = await stack.ask(user, 'How do I descale the kettle?');
  await stack.chaos({ service: 'bedrock-runtime', fault: 'error' });
  await stack.chaos({ service: 'bedrock-agent-runtime', fault: 'error' });
  const { result } = await stack.ask(user, 'How can I descale my kettle now?');
  expect(result.result).toMatchObject({
    degradation: 'cached',
    from_cache: true,
    similar_question: 'How do I descale the kettle?',
    answer: full.result.result.answer,
  });
  expect(result.charged).toBe(false);
  // Neither another persona's nor another user's.
  const expert = await stack.ask(user, 'How can I descale my kettle now?', { persona: 'expert' });
  expect(expert.result.result).toMatchObject({
    degradation: 'template',
    answer: stack.settings.personas.expert.unavailable,
    citations: [],
  });
  expect(expert.result.charged).toBe(false);
});

test('a mistake of ours ends in an apology with an id to quote, and nothing of the upstream’s words', async () => {
  await fresh();
  const broken = await stack.another({ knowledge_base: { id: 'NOTTHERE01' }, cache: { enabled: false } });
  const { result } = await stack.ask(user, 'How do I descale the kettle?', { context: broken });
  expect(result.result.degradation).toBe('error');
  expect(result.result.answer).toContain(result.result.support_id!);
  expect(JSON.stringify(result.result)).not.toMatch(/NOTTHERE01|arn:|Exception/);
  expect(result.charged).toBe(false);
});

test('a stream that breaks off keeps what was said and goes on with quotations', async () => {
  await fresh();
  await stack.chaos({ service: 'bedrock-runtime', operation: 'ConverseStream', fault: 'error', after_events: 6 });
  const { result, tokens } = await stack.ask(user, 'How do I descale the kettle?');
  const { answer, citations, degradation } = result.result;
  expect(degradation).toBe('simplified');
  expect(tokens.join('')).toBe(answer);
  expect(answer).toMatch(/^To descale the kettle\S* .*\n\n/s);
  for (const { span, excerpt } of citations) expect(answer.slice(...span)).toBe(excerpt);
  expect((await stack.calls())['bedrock-runtime']?.['ConverseStream']).toBeLessThan(10);
});

test('throttled for good, 50 questions end degraded in under 3 s each once the breaker is open; lifted, answers are full within 10 s', async () => {
  await fresh();
  await stack.chaos({ service: 'bedrock-runtime', fault: 'throttle' });
  for (let n = 0; n < 3; n += 1) await stack.ask(user, question(n));
  expect(stack.context.resilience.isOpen('bedrock', 'ConverseStream')).toBe(true);

  const asked = await Promise.all(Array.from({ length: 50 }, (_, n) => stack.ask(user, question(100 + n))));
  for (const { result, ms } of asked) {
    expect(['cached', 'simplified', 'template', 'error']).toContain(result.result.degradation);
    expect(ms).toBeLessThan(3000);
  }
  const state = await stack.context.degradation.read();
  expect(state).toMatchObject({ degraded: true });
  expect(state.counts.simplified).toBeGreaterThanOrEqual(50);

  await stack.calm();
  const lifted = Date.now();
  let n = 1000;
  await waitFor(
    async () => {
      n += 1;
      return (await stack.ask(user, question(n))).result.result.degradation === 'none';
    },
    { timeoutMs: 10_000, everyMs: 100 },
  );
  expect(Date.now() - lifted).toBeLessThan(10_000);
});

test('a model that is silent is given up in time, tried again and then done without', async () => {
  await fresh();
  const impatient = await stack.another({
    models: { first_token_timeout_ms: 100 },
    retry: { bedrock: { strategy: 'fixed', base_delay_ms: 20, max_delay_ms: 20, max_retries: 2, jitter: false } },
  });
  await stack.calls();
  await stack.chaos({ service: 'bedrock-runtime', fault: 'timeout' });
  const { result, ms } = await stack.ask(user, 'How do I descale the kettle?', { context: impatient });
  expect(result.result.degradation).toBe('simplified');
  expect(ms).toBeLessThan(3000);
  expect((await stack.calls())['bedrock-runtime']?.['ConverseStream']).toBe(3);
});

test('a cancel stops the stream upstream and gives no lesser answer', async () => {
  await fresh();
  await stack.chaos({ service: 'bedrock-runtime', operation: 'ConverseStream', fault: 'latency', latency_ms: 20_000 });
  await stack.calls();
  const abort = new AbortController();
  const asking = stack.ask(user, 'How do I descale the kettle?', { signal: abort.signal });
  const failed = asking.then(
    () => undefined,
    (error: unknown) => error,
  );
  await waitFor(async () => ((await stack.calls())['bedrock-runtime']?.['ConverseStream'] ?? 0) > 0);
  abort.abort();
  expect(await failed).toMatchObject({ code: 'cancelled' });
  expect(stack.context.resilience.isOpen('bedrock', 'ConverseStream')).toBe(false);
});

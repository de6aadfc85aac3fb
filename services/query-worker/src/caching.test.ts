import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type LocalStack, newUserId, startLocalStack } from './test-support/local-stack.ts';

const pages = [
  'Descaling. To descale the kettle, fill it with half a litre of water and 50 ml of citric acid.',
  'Warranty. The warranty covers two years from the date of purchase.',
];

let stack: LocalStack;
beforeAll(async () => {
  stack = await startLocalStack();
});
afterAll(() => stack.close());

async function withManual(): Promise<string> {
  const user = newUserId();
  await stack.addManual(user, pages, 'kettle.txt');
  await stack.calls();
  return user;
}
const generations = async (): Promise<number> => (await stack.calls())['bedrock-runtime']?.['ConverseStream'] ?? 0;

test('the same question in other clothes is answered from the cache: free, marked, said at once', async () => {
  const user = await withManual();
  const first = await stack.ask(user, 'How do I descale the kettle?');
  const again = await stack.ask(user, '  how do i DESCALE the kettle ');
  expect(again.result.result).toMatchObject({
    answer: first.result.result.answer,
    citations: first.result.result.citations,
    from_cache: true,
    degradation: 'none',
  });
  expect(again.tokens.join('')).toBe(first.result.result.answer);
  expect(again.result.charged).toBe(false);
  expect(again.result.tokens).toBeUndefined();
  expect(again.result.result.conversation_id).not.toBe(first.result.result.conversation_id);
  expect(await generations()).toBe(1);
});

test('concurrent identical questions run once, across workers; one is charged', async () => {
  const user = await withManual();
  const other = await stack.another();
  await stack.chaos({ service: 'bedrock-runtime', fault: 'latency', latency_ms: 300 });
  const all = await Promise.all(
    Array.from({ length: 8 }, (_, n) =>
      stack.ask(user, 'How do I descale the kettle?', n % 2 === 0 ? {} : { context: other }),
    ),
  );
  await stack.calm();
  expect(await generations()).toBe(1);
  expect(new Set(all.map(({ result }) => result.result.answer)).size).toBe(1);
  expect(all.filter(({ result }) => result.charged)).toHaveLength(1);
  for (const { tokens, result } of all) expect(tokens.join('')).toBe(result.result.answer);
});

test('an upload makes older answers unreachable at once; another persona has its own', async () => {
  const user = await withManual();
  await stack.ask(user, 'How long does the warranty last?');
  await stack.ask(user, 'How long does the warranty last?', { persona: 'expert' });
  expect(await generations()).toBe(2);
  await stack.addManual(
    user,
    ['Warranty of the toaster. The warranty of the toaster covers six years.'],
    'toaster.txt',
  );
  await stack.calls();
  const after = await stack.ask(user, 'How long does the warranty last?');
  expect(after.result.result.from_cache).toBe(false);
  expect(await generations()).toBe(1);
});

test('a question within a conversation is neither cached nor answered from the cache', async () => {
  const user = await withManual();
  const first = await stack.ask(user, 'How do I descale the kettle?');
  const { conversation_id } = first.result.result;
  const within = await stack.ask(user, 'How do I descale the kettle?', { conversation_id });
  expect(within.result.result.from_cache).toBe(false);
});

test('a warm-up fills the cache, charges nothing and keeps no conversation', async () => {
  const user = await withManual();
  const warm = await stack.ask(user, 'How do I descale the kettle?', { warm_up: true });
  expect(warm.result.charged).toBe(false);
  expect(warm.tokens).toEqual([]);
  expect(await stack.context.conversations.turns(user, warm.result.result.conversation_id)).toEqual([]);
  expect(await stack.context.cache.asked.top(user, 5)).toEqual([]);
  const asked = await stack.ask(user, 'How do I descale the kettle?');
  expect(asked.result.result.from_cache).toBe(true);
  expect(await stack.context.cache.asked.top(user, 5)).toEqual([
    { question: 'How do I descale the kettle?', persona: 'default' },
  ]);
});

test('without Redis questions are answered all the same', async () => {
  const user = await withManual();
  const alone = await stack.another({ redis: { url: 'redis://127.0.0.1:1', connect_timeout_ms: 50 } });
  const { result } = await stack.ask(user, 'How do I descale the kettle?', { context: alone });
  expect(result.result).toMatchObject({ degradation: 'none', from_cache: false });
});

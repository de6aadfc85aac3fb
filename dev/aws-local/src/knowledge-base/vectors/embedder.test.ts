import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { words } from '../analysis/tokenize.ts';
import { ESPRESSO_MANUAL } from '../testing/espresso-manual.ts';
import { openKnowledgeBase, until, type OpenKnowledgeBase } from '../testing/open-knowledge-base.ts';

const DIMENSIONS = 256;
/** What this model knows of the world. */
const MEANINGS: Readonly<Record<string, string>> = { calcification: 'limescale', eradicate: 'descaler', junk: 'waste' };

let server: Server;
let mode: 'fine' | 'failing' | 'stalling';
let calls: number;
let opened: OpenKnowledgeBase | undefined;

/** A bag of hashed words: alike texts have alike vectors. */
function embed(text: string): number[] {
  const vector = Array.from({ length: DIMENSIONS }, () => 0);
  for (const word of words(text)) {
    const meaning = MEANINGS[word] ?? word;
    let hash = 7;
    for (const character of meaning) hash = (hash * 31 + (character.codePointAt(0) ?? 0)) % 65_521;
    vector[hash % DIMENSIONS] = (vector[hash % DIMENSIONS] ?? 0) + (meaning.length > 4 ? 1 : 0.05);
  }
  return vector;
}

beforeEach(async () => {
  mode = 'fine';
  calls = 0;
  server = createServer((request, response) => {
    void request.toArray().then((chunks: Buffer[]) => {
      calls += 1;
      if (mode === 'stalling') return;
      if (mode === 'failing') return response.writeHead(500).end('{}');
      const { input } = JSON.parse(Buffer.concat(chunks).toString()) as { input: string[] };
      const data = input.map((text, index) => ({ index, embedding: embed(text) }));
      return response
        .writeHead(200, { 'content-type': 'application/json' })
        .end(JSON.stringify({ data: data.toReversed() }));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
});

afterEach(async () => {
  await opened?.close();
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

async function open(): Promise<OpenKnowledgeBase> {
  const { port } = server.address() as AddressInfo;
  opened = await openKnowledgeBase({
    embeddingsUrl: `http://127.0.0.1:${port}/v1`,
    embeddingsModel: 'bag',
    embeddingsTimeoutMs: 200,
  });
  return opened;
}

async function bestPage(
  { knowledgeBase }: OpenKnowledgeBase,
  text: string,
  semantic = false,
): Promise<number | undefined> {
  const [best] = await knowledgeBase.retrieve({ text, limit: 5, semantic });
  return best?.document.pages[best.passage.page]?.number;
}

test('with vectors a question is understood that shares no word with the manual', async () => {
  const local = await open();
  await local.add('espresso.txt', ESPRESSO_MANUAL, 'ana');
  expect(await bestPage(local, 'eradicate calcification')).toBe(8);
  expect(await bestPage(local, 'junk', true)).toBe(12);
  opened = await local.reopen();
  calls = 0;
  expect(await bestPage(opened, 'eradicate calcification')).toBe(8);
  expect(calls).toBe(1);
});

test.each(['failing', 'stalling'] as const)('with a %s server the search goes on by words', async (broken) => {
  const local = await open();
  await local.add('espresso.txt', ESPRESSO_MANUAL, 'ana');
  mode = broken;
  expect(await bestPage(local, 'How do I descale it?')).toBe(8);
  const before = calls;
  expect(await bestPage(local, 'How hard is my water?')).toBe(9);
  // A server that is down does not hold up the next question.
  expect(calls).toBe(before);
});

test('a manual that came in while the server failed is found by words', async () => {
  mode = 'failing';
  const local = await open();
  await local.add('espresso.txt', ESPRESSO_MANUAL, 'ana');
  await until(() => local.logs.length > 0);
  expect(await bestPage(local, 'How do I descale it?')).toBe(8);
});

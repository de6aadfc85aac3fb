import { expect, test } from '@jest/globals';
import type { ContentBlock, ConverseRequest, Message } from '../wire/converse-shapes.ts';
import { readTask } from './read-request.ts';

function read(...content: ContentBlock[]) {
  return readAll([{ role: 'user', content }]);
}

function readAll(messages: Message[]) {
  const request: ConverseRequest = {
    modelId: 'm',
    system: 'Be nice.',
    messages,
    inference: { stopSequences: [] },
    tools: [],
    toolChoice: { kind: 'auto' },
  };
  return readTask(request);
}

test.each([
  ['[1] a.pdf, page 3: First text.\nStill first.\n[2] b.pdf, page 4: Second text.\n\nQuestion: What is it?'],
  ['Passages:\n\n[1] a.pdf, page 3: First text.\nStill first.\n\n[2] b.pdf, page 4: Second text.\n\nWhat is it?'],
  [
    '<passages>\n[1] a.pdf, page 3: First text.\nStill first.\n[2] b.pdf, page 4: Second text.\n</passages>\n<question>What is it?</question>',
  ],
  ['Question: What is it?\n\n[1] a.pdf, page 3: First text.\nStill first.\n[2] b.pdf, page 4: Second text.'],
])('numbered passages and their question: %j', (text) => {
  const task = read({ text });
  expect(task.question).toBe('What is it?');
  expect(task.passages).toEqual([
    {
      title: 'a.pdf, page 3',
      source: 'a.pdf, page 3',
      blocks: ['First text.\nStill first.'],
      reference: { kind: 'number', number: 1 },
    },
    {
      title: 'b.pdf, page 4',
      source: 'b.pdf, page 4',
      blocks: ['Second text.'],
      reference: { kind: 'number', number: 2 },
    },
  ]);
});

test('search results count through the whole conversation', () => {
  const result = (title: string): ContentBlock => ({
    searchResult: { title, source: `s3://${title}`, content: [{ text: 'x' }], citations: { enabled: true } },
  });
  const task = readAll([
    { role: 'user', content: [result('a'), { text: 'First?' }] },
    { role: 'assistant', content: [{ text: 'Yes.' }] },
    { role: 'user', content: [result('b'), { text: 'Second?' }] },
  ]);
  expect(task).toMatchObject({
    question: 'Second?',
    earlierQuestions: ['First?'],
    passages: [
      { title: 'a', reference: { kind: 'search-result', index: 0, citations: true } },
      { title: 'b', reference: { kind: 'search-result', index: 1 } },
    ],
  });
});

test('without passages the last text is the question', () => {
  expect(read({ text: 'Some introduction.' }, { text: 'How does it work?' })).toMatchObject({
    question: 'How does it work?',
    passages: [],
  });
});

test.each([
  ['[1] a.pdf, pages 3 to 4: Text: more.', 'a.pdf, pages 3 to 4', 'Text: more.'],
  ['[1] Guide: fridge.docx: Text.', 'Guide: fridge.docx', 'Text.'],
  ['[1] Only text, no title.', '', 'Only text, no title.'],
])('%s', (text, title, block) => {
  expect(read({ text: `${text}\n\nQuestion: What?` }).passages).toMatchObject([{ title, blocks: [block] }]);
});

import { expect, test } from '@jest/globals';
import type { AnswerPiece } from '@manuel/aws';
import { array, assert, constantFrom, integer, oneof, property, record } from 'fast-check';
import { collectAnswer } from './collect-answer.ts';
import type { JoinedPassage } from './join-passages.ts';
import { noAnswerSentence } from './system-prompt.ts';

const noAnswer = 'Nothing found.';
const manual = { manual_id: 'a', filename: 'a.pdf' };
const passages: JoinedPassage[] = [
  {
    ...manual,
    blocks: [
      { ...manual, page: 3, text: 'Fill the tank with two litres of water.', score: 0.9 },
      { ...manual, page: 4, text: 'Press start and wait ten minutes.', score: 0.8 },
    ],
  },
];

function collect(pieces: readonly AnswerPiece[], complete = true) {
  const said: string[] = [];
  const collector = collectAnswer(passages, noAnswer, (text) => said.push(text));
  for (const piece of pieces) collector.piece(piece);
  return { ...collector.end(complete), said };
}
const text = (words: string): AnswerPiece => ({ kind: 'text', text: words });
const cite = (blocks: [number, number], quote = ''): AnswerPiece => ({ kind: 'citation', passage: 0, blocks, quote });
const end: AnswerPiece = { kind: 'segment-end' };

test('each segment’s citations bear its span, without white space, and the page of the block that it is from', () => {
  const { answer, citations, said } = collect([
    text(' Fill the tank'),
    text(' with two litres of water. '),
    cite([0, 2]),
    end,
    text('Press start. '),
    cite([0, 2], 'Press start and wait'),
    end,
  ]);
  expect(answer).toBe('Fill the tank with two litres of water. Press start.');
  expect(said.join('')).toBe(answer);
  expect(citations.map(({ page, excerpt, span }) => [page, excerpt, answer.slice(...span)])).toEqual([
    [3, 'Fill the tank with two litres of water.', 'Fill the tank with two litres of water.'],
    [4, 'Press start and wait', 'Press start.'],
  ]);
});

test('a quote that stands nowhere gives way to the passage itself', () => {
  const { citations } = collect([text('Wait ten minutes.'), cite([1, 2], 'wait twenty minutes'), end]);
  expect(citations[0]).toMatchObject({ page: 4, excerpt: 'Press start and wait ten minutes.' });
});

test('the model’s "no answer" is said in the persona’s words, and only then', () => {
  const whole = noAnswerSentence.match(/\S+\s*/g)!.map(text);
  expect(collect([...whole, end])).toEqual({ answer: noAnswer, citations: [], said: [noAnswer] });
  expect(collect([text('The manuals'), text(' agree. Fill the tank with two litres of water.'), end]).answer).toMatch(
    /^The manuals agree/,
  );
  expect(collect([])).toMatchObject({ answer: noAnswer });
});

test('an answer without citations is attributed where its words stand in a passage, else it says that none supports it', () => {
  const found = collect([text('So: fill the tank with two litres of water.'), end]);
  expect(found.citations).toMatchObject([{ page: 3 }]);
  const none = collect([text('The moon is made of green cheese, says everybody.'), end]);
  expect(none).toMatchObject({ citations: [] });
  expect(none.answer).toMatch(/cheese.*\n\nNothing found\.$/s);
  expect(none.said.join('')).toBe(none.answer);
  // Cut off by its length or a guardrail: it stands as it is.
  expect(collect([text('The moon is made of')], false).answer).toBe('The moon is made of');
});

test('whatever comes, what was said is the answer, and every span lies within it', () => {
  const word = oneof(
    constantFrom(' ', '\n', 'The', 'The manuals', ' provided', ' fill the tank', '. ', 'Press', noAnswerSentence).map(
      text,
    ),
    record({ at: integer({ min: 0, max: 1 }) }).map(({ at }) => cite([at, at + 1])),
    constantFrom(end),
  );
  assert(
    property(array(word, { maxLength: 12 }), (pieces) => {
      const { answer, citations, said } = collect(pieces);
      expect(said.join('')).toBe(answer);
      expect(answer).toBe(answer.trim());
      expect(answer).not.toBe('');
      for (const { span, excerpt, page } of citations) {
        expect(0 <= span[0] && span[0] < span[1] && span[1] <= answer.length).toBe(true);
        expect(passages[0]!.blocks.find((block) => block.page === page)!.text).toContain(excerpt);
      }
    }),
  );
});

import { expect, test } from '@jest/globals';
import { assert, constantFrom, integer, array, property } from 'fast-check';
import type { AnswerPiece } from './answer-pieces.ts';
import { createMarkerParser } from './parse-markers.ts';

function parse(text: string, chunk = text.length, passages = [1, 1, 1]): AnswerPiece[] {
  const parser = createMarkerParser(passages);
  const pieces: AnswerPiece[] = [];
  for (let at = 0; at < text.length; at += Math.max(1, chunk)) pieces.push(...parser.push(text.slice(at, at + chunk)));
  return [...pieces, ...parser.end()];
}
const textOf = (pieces: readonly AnswerPiece[]): string =>
  pieces.map((piece) => (piece.kind === 'text' ? piece.text : '')).join('');
/** What each citation supports. */
function supported(pieces: readonly AnswerPiece[]): [string, number][] {
  const out: [string, number][] = [];
  let segment = '';
  let cited: number[] = [];
  for (const piece of pieces) {
    if (piece.kind === 'text') segment += piece.text;
    else if (piece.kind === 'citation') cited.push(piece.passage);
    else {
      out.push(...cited.map((passage): [string, number] => [segment.trim(), passage]));
      segment = '';
      cited = [];
    }
  }
  return out;
}

test('markers vanish and cite the sentence before them', () => {
  const pieces = parse('It is white. Fill it with water. [2] Wait 30 minutes [1, 3]. Done.');
  expect(textOf(pieces)).toBe('It is white. Fill it with water. Wait 30 minutes. Done.');
  expect(supported(pieces)).toEqual([
    ['Fill it with water.', 1],
    ['Wait 30 minutes', 0],
    ['Wait 30 minutes', 2],
  ]);
});

test('numbers that no passage has are dropped, other brackets stay', () => {
  const pieces = parse('Press [OK] twice [9]. See [a1] and [12 [1]');
  expect(textOf(pieces)).toBe('Press [OK] twice. See [a1] and [12');
  expect(supported(pieces).map(([, passage]) => passage)).toEqual([0]);
});

test('however the stream is cut, the outcome is the same', () => {
  const word = constantFrom('Fill', ' it', '. ', ' [1]', '[2]', ' [1, 2]', '[', ']', ' [x] ', '\n', '12', ' end.');
  assert(
    property(array(word, { maxLength: 14 }), integer({ min: 1, max: 6 }), (words, chunk) => {
      const text = words.join('');
      const [whole, cut] = [parse(text), parse(text, chunk)];
      expect(textOf(cut)).toBe(textOf(whole));
      expect(supported(cut)).toEqual(supported(whole));
    }),
  );
});

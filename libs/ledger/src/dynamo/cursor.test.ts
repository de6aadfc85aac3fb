import { expect, test } from '@jest/globals';
import { cursorKinds, fromCursor, toCursor } from './cursor.ts';

const { jobs, manuals } = cursorKinds;
const place = '001795218202815#query_HX6GMZ4T6CZA959E2RXKWJ205K';
const cursor = toCursor(jobs, 'anna', place);

test('a cursor comes back as the place it was made of', () => {
  expect(fromCursor(jobs, 'anna', cursor)).toBe(place);
});

test('an altered cursor is refused, whichever character it is', () => {
  const altered = Array.from(cursor, (character, at) =>
    ['A', 'b', '0', '_'].map(
      (other) => cursor.slice(0, at) + (other === character ? '9' : other) + cursor.slice(at + 1),
    ),
  ).flat();
  for (const wrong of [...altered, `${cursor}A`, `${cursor}==`, cursor.slice(1), cursor.slice(0, -1), '', 'null']) {
    expect(() => fromCursor(jobs, 'anna', wrong)).toThrow(expect.objectContaining({ code: 'validation_failed' }));
  }
});

test('a cursor is good for its own list alone', () => {
  expect(() => fromCursor(jobs, 'berta', cursor)).toThrow(/not one that this list gave out/);
  expect(() => fromCursor(manuals, 'anna', cursor)).toThrow(/not one that this list gave out/);
});

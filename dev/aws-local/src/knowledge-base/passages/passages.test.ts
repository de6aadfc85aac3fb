import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { passageText } from '../types.ts';
import { cutPassages } from './cut-passages.ts';
import { splitSentences } from './split-sentences.ts';

test.each([
  ['Fill the tank. Press the button!', ['Fill the tank.', 'Press the button!']],
  ['Use e.g. Citric acid. Rinse.', ['Use e.g. Citric acid.', 'Rinse.']],
  ['It holds 1.2 litres. Never more.', ['It holds 1.2 litres.', 'Never more.']],
  ['1. Open the lid. 2. Close it.', ['1. Open the lid.', '2. Close it.']],
  ['Steps:\n• Open\n• Close', ['Steps:', '• Open', '• Close']],
  ['Cleaning\n\nWipe it', ['Cleaning', 'Wipe it']],
  ['one\ntwo', ['one two']],
  ['  ', []],
])('splits %j', (text, sentences) => {
  expect(splitSentences(text)).toEqual(sentences);
});

const word = fc.constantFrom('Lid', 'tank', 'press.', 'No.', 'x'.repeat(300), '•', '3)', '\n', '\n\n', 'Öl!');

test('no word is lost, no passage is long, none crosses a page', () => {
  fc.assert(
    fc.property(fc.array(fc.array(word, { maxLength: 60 }), { minLength: 1, maxLength: 3 }), (contents) => {
      const sources = contents.map((list) => list.join(' '));
      const pages = sources.map((source, index) => ({
        number: index + 1,
        headings: [],
        sentences: splitSentences(source),
      }));
      const document = { paged: true, pages, passages: cutPassages(pages) };
      for (const [index, source] of sources.entries()) {
        const own = document.passages
          .filter(({ page }) => page === index)
          .map((passage) => passageText(document, passage));
        expect(own.join(' ').replaceAll(/\s/g, '')).toBe(source.replaceAll(/\s/g, ''));
        expect(own.every((text) => text.length <= 1_100)).toBe(true);
      }
    }),
  );
});

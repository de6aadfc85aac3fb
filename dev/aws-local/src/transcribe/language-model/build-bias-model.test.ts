import { expect, test } from '@jest/globals';
import { buildBiasModel } from './build-bias-model.ts';
import { pronounce } from './pronounce.ts';
import { spokenSentences, spokenWords } from './spoken-words.ts';

const dictionary = new Map([
  ['how', ['HH AW']],
  ['do', ['D UW']],
  ['i', ['AY']],
  ['the', ['DH AH', 'DH IY']],
  ['scale', ['S K EY L']],
  ['slide', ['S L AY D']],
  ['slides', ['S L AY D Z']],
  ['show', ['SH OW']],
  ['box', ['B AA K S']],
  ['rinse', ['R IH N S']],
]);

test.each([
  ['descale', false, ['D IY S K EY L']],
  ['slideshow', false, ['S L AY D SH OW']],
  ['rinseable', false, ['R IH N S AH B AH L']],
  ["box's", false, ['B AA K S IH Z']],
  ['hdmi', true, ['EY CH D IY EH M AY', 'D M IH']],
  ['wps', false, ['D AH B AH L Y UW P IY EH S']],
  ['kettle', false, ['K EH T AH L']],
  ['knob', false, ['N AA B']],
  ['phone', false, ['F OW N']],
  ['x2', false, []],
])('%s is pronounced', (word, isAbbreviation, sounds) => {
  const got = pronounce(word, isAbbreviation, dictionary);
  if (word === 'hdmi') expect(got[0]).toBe(sounds[0]);
  else expect(got).toEqual(sounds);
});

test('text becomes what a reader would say', () => {
  expect(spokenWords('Wi-Fi 5 GHz, 1080 lines, don’t stop; HDMI2 e-Manual')).toEqual(
    "wifi five ghz one thousand eighty lines don't stop hdmi two e manual".split(' '),
  );
  expect(spokenSentences('Press OK. Hold for 30 seconds!')).toEqual([
    ['press', 'ok'],
    ['hold', 'for', 'thirty', 'seconds'],
  ]);
});

test('a model knows the words of its text, in the frames of questions, and only words it can pronounce', () => {
  const { arpa, dictionary: words } = buildBiasModel({ phrases: [], texts: ['Descale the box. 漢字'] }, dictionary);
  expect(words).toContain('descale D IY S K EY L\n');
  expect(words).toContain('the DH AH\nthe(2) DH IY\n');
  expect(arpa).toMatch(/\thow do i$/m);
  expect(arpa).toMatch(/\tdescale the\t/);
  expect(arpa).not.toContain('漢');
});

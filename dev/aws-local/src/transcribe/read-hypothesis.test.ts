import { expect, test } from '@jest/globals';
import { isSpoken, readHypothesis, readScore } from './read-hypothesis.ts';

test('reads the words of all utterances and leaves out what is no word', () => {
  const output = [
    'turn on and',
    '<s> 0.080 0.150 0.999800',
    'turn 0.160 0.410 0.019860',
    '<sil> 0.420 0.480 0.069654',
    'on(2) 0.490 0.770 1.000001',
    '[NOISE] 0.780 0.990 0.5',
    '</s> 2.310 2.390 1.000000',
    'off',
    'off 3.000 3.300 2.1e-05',
  ].join('\n');
  expect(readHypothesis(output)).toEqual([
    { text: 'turn', start: 0.16, end: 0.41, confidence: 0.01986 },
    { text: 'on', start: 0.49, end: 0.77, confidence: 1 },
    { text: 'off', start: 3, end: 3.3, confidence: 0.000021 },
  ]);
  expect(readHypothesis('')).toEqual([]);
});

test('adds up the scores of the log', () => {
  expect(readScore('INFO: ps_lattice.c(1380): Bestpath score: -10245\nother\nINFO: Bestpath score: -5')).toBe(-10250);
});

test('tells speech from noise that was heard as words', () => {
  const word = (text: string, seconds: number) => ({ text, start: 1, end: 1 + seconds, confidence: 1 });
  expect(isSpoken([word('thigh', 0.99)])).toBe(false);
  expect(isSpoken([word('show', 0.73)])).toBe(false);
  expect(isSpoken([word('non', 0.99), word('non', 1.03), word('non', 1)])).toBe(false);
  expect(isSpoken([])).toBe(false);
  expect(isSpoken([word('no', 0.4)])).toBe(true);
  expect(isSpoken([word('where', 0.25), word('is', 0.2), word('the', 0.1), word('button', 0.6)])).toBe(true);
});

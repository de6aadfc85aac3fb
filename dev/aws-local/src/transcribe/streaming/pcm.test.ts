import { expect, test } from '@jest/globals';
import { bytesOf, findCut, pcmToWav, secondsOf } from './pcm.ts';

const rate = 8000;

/** `seconds` of a tone of this loudness, 0..32767. */
function tone(seconds: number, loudness: number): Buffer {
  const pcm = Buffer.alloc(bytesOf(seconds, rate));
  for (let at = 0; at < pcm.length; at += 2) pcm.writeInt16LE(Math.round(loudness * Math.sin(at)), at);
  return pcm;
}

test('long speech is cut in the middle of its last pause, and not while it is short or goes on', () => {
  const paused = Buffer.concat([tone(7, 9000), tone(0.6, 20), tone(2, 9000)]);
  const cut = findCut(paused, rate);
  expect(secondsOf(cut ?? 0, rate)).toBeGreaterThan(7);
  expect(secondsOf(cut ?? 0, rate)).toBeLessThan(7.6);
  expect(findCut(paused.subarray(0, bytesOf(7.9, rate)), rate)).toBeUndefined();
  expect(findCut(tone(20, 9000), rate)).toBeUndefined();
});

test('speech without any pause is cut where it is quietest', () => {
  const cut = findCut(Buffer.concat([tone(20, 9000), tone(0.1, 4000), tone(6, 9000)]), rate);
  expect(secondsOf(cut ?? 0, rate)).toBeCloseTo(20, 0);
});

test('PCM becomes a WAV file', () => {
  const wav = pcmToWav(tone(1, 100), rate);
  expect(wav.subarray(0, 4).toString()).toBe('RIFF');
  expect(wav.readUInt32LE(24)).toBe(rate);
  expect(wav.readUInt32LE(40)).toBe(wav.length - 44);
});

import type { Weighted } from './build-arpa.ts';
import { NOUN_FRAMES, PLAIN_QUESTIONS, VERB_FRAMES } from './question-phrases.ts';

/** Words that end a phrase: what lies between them is what a manual talks about. */
const BREAKS = new Set(
  (
    'a an the this that these those and or but if when while then than as of in on at by for from to with without into onto over under about after before ' +
    'is are was were be been being has have had do does did can cannot could may might must shall should will would not no it its they them their he she his her we us our you your i my me ' +
    'there here which who whom whose what where why how also only very more most such any some all each every other please see refer'
  ).split(' '),
);
const MAX_PHRASE_WORDS = 4;
const FRAMES_PER_PHRASE = 5;
const PHRASE_WEIGHT = 0.4;
const PLAIN_WEIGHT = 3;

/**
 * Sentences that somebody who asks about a text might say: its own phrases in the frames of common questions. A manual states and orders,
 * people ask; without this a model of the manual has never heard "how do I".
 */
export function* questionsFromText(sentences: readonly (readonly string[])[]): Generator<Weighted> {
  for (const words of PLAIN_QUESTIONS) yield { words, weight: PLAIN_WEIGHT };
  for (const [phrase, count] of nounPhrases(sentences)) yield* inFrames(phrase, count, NOUN_FRAMES);
  for (const [phrase, count] of orders(sentences)) yield* inFrames(phrase, count, VERB_FRAMES);
}

/** Each phrase is put into a few of the frames, another few for the next, so that all frames meet many phrases. */
function* inFrames(
  phrase: string,
  count: number,
  frames: readonly (readonly [before: readonly string[], after: readonly string[]])[],
): Generator<Weighted> {
  const words = phrase.split(' ');
  const start = hash(phrase);
  for (let step = 0; step < FRAMES_PER_PHRASE; step += 1) {
    const frame = frames[(start + step * 7919) % frames.length];
    if (frame !== undefined)
      yield { words: [...frame[0], ...words, ...frame[1]], weight: PHRASE_WEIGHT * Math.sqrt(count) };
  }
}

/** Runs of content words, and how often each occurs. */
function nounPhrases(sentences: readonly (readonly string[])[]): Map<string, number> {
  const phrases = new Map<string, number>();
  for (const words of sentences) {
    let run: string[] = [];
    for (const word of [...words, 'the']) {
      if (!BREAKS.has(word) && run.length < MAX_PHRASE_WORDS) {
        run.push(word);
        continue;
      }
      if (run.length > 0) count(phrases, run.join(' '));
      run = [];
    }
  }
  return phrases;
}

/** "Press the power button": the beginnings of sentences that begin with no small word. */
function orders(sentences: readonly (readonly string[])[]): Map<string, number> {
  const found = new Map<string, number>();
  for (const words of sentences) {
    const [first] = words;
    if (first === undefined || BREAKS.has(first) || words.length < 3) continue;
    for (const length of [3, 5]) if (words.length >= length) count(found, words.slice(0, length).join(' '));
  }
  return found;
}

function count(counts: Map<string, number>, key: string): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}

function hash(text: string): number {
  let value = 0;
  for (const character of text) value = (value * 31 + (character.codePointAt(0) ?? 0)) >>> 0;
  return value;
}

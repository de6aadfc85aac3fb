import type { HeardWord } from './job.ts';

/** A line of `pocketsphinx_continuous -time yes`: word, start, end, posterior probability. */
const WORD_LINE = /^(\S+) (\d+\.\d+) (\d+\.\d+) (\d+(?:\.\d+)?(?:e[+-]?\d+)?)$/;

/**
 * Reads the decoder's output. Silences, breaths and noises (`<s>`, `<sil>`, `[NOISE]`, `++UM++`) are no words, and `and(2)` is the second
 * pronunciation of "and".
 */
export function readHypothesis(output: string): HeardWord[] {
  return output.split('\n').flatMap((line): HeardWord[] => {
    const match = WORD_LINE.exec(line.trim());
    const text = match?.[1]?.replace(/\(\d+\)$/, '');
    if (match === null || text === undefined || /^(?:<.*>|\[.*\]|\+\+.*\+\+)$/.test(text)) return [];
    return [{ text, start: Number(match[2]), end: Number(match[3]), confidence: Math.min(1, Number(match[4])) }];
  });
}

/** The sum of the utterances' scores, from the decoder's log. */
export function readScore(log: string): number {
  return [...log.matchAll(/Bestpath score: (-?\d+)/g)].reduce((sum, match) => sum + Number(match[1]), 0);
}

/** Two letters or more that are one sound, and silent ones. */
const ONE_SOUND = /eigh|igh|ough|augh|th|sh|ch|ph|wh|ck|ng|[aeiouy]+[wr]?|([^aeiouy])\1|e$|./g;
/** Slower than anybody speaks; a drawled "no" has about 0.2 s a sound. */
const MAX_SECONDS_PER_SOUND = 0.25;

/**
 * False for what the decoder makes of hisses and hums: it is as sure of them as of speech, but stretches a word or two over seconds. Judged by
 * the median of the time that each sound takes.
 */
export function isSpoken(words: readonly HeardWord[]): boolean {
  const paces = words
    .map((word) => (word.end - word.start) / (word.text.match(ONE_SOUND)?.length ?? 1))
    .toSorted((a, b) => a - b);
  const median = paces[Math.floor(paces.length / 2)];
  return median !== undefined && median < MAX_SECONDS_PER_SOUND;
}

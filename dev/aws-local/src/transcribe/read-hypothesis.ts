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

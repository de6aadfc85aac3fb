import { normaliseQuestion } from './keys.ts';

/** Words that carry no subject. Small ones that turn a meaning round (on, off, not, without) are not among them. */
const fillers = new Set(
  'a an the is are was were be been do does did can could should would will shall may might must i me my we our you your it its this that these those to of for in at by with and or what which who how when where why please there here have has had so if as from about am'.split(
    ' ',
  ),
);

const stem = (word: string): string => word.replace(/(?:ing|ed|es|s)$/u, '').replace(/e$/u, '');

function wordsOf(question: string): Set<string> {
  const words = normaliseQuestion(question).match(/[\p{L}\p{N}]+/gu) ?? [];
  const content = words.filter((word) => !fillers.has(word));
  return new Set((content.length > 0 ? content : words).map((word) => (word.length > 4 ? stem(word) : word)));
}

const isNumber = (word: string): boolean => /\p{N}/u.test(word);
/** One of these on one side only turns the question round. */
const turns = new Set([
  'on',
  'off',
  'not',
  'no',
  'without',
  'never',
  'open',
  'close',
  'start',
  'stop',
  'left',
  'right',
  'up',
  'down',
]);

/**
 * How alike two questions are, 0..1: Dice's coefficient over their stemmed content words. 0 when they differ in a number or
 * in a word that turns the meaning round.
 */
export function similarity(one: string, other: string): number {
  const [a, b] = [wordsOf(one), wordsOf(other)];
  if (a.size === 0 || b.size === 0) return 0;
  const differing = [...a.symmetricDifference(b)];
  if (differing.some((word) => isNumber(word) || turns.has(word))) return 0;
  return (2 * a.intersection(b).size) / (a.size + b.size);
}

import { stemmer } from 'stemmer';
import { isKindOfMeasure, isNumber, kindOfMeasure } from '../../knowledge-base/analysis/measures.ts';
import { findPhrases } from '../../knowledge-base/analysis/phrases.ts';
import { synonymsOf as manualSynonymsOf } from '../../knowledge-base/analysis/synonyms.ts';

/** Words that say nothing about the subject: they neither find a sentence nor count as asked for. */
const STOP_WORDS = new Set(
  (
    'a about above after again all also am an and any are aren as at be because been before being below between both but by can cannot could couldn ' +
    'd did didn do does doesn doing don down during each else ever few for from further had hadn has hasn have haven having he her here hers him his ' +
    'how i if in into is isn it its itself just ll m me might more most much must my myself no nor not now of off on once only or other our ours out ' +
    'over own per please re s same shall she should shouldn so some such t than that the their theirs them then there these they this those through to ' +
    'too under until up upon us ve very was wasn way we were weren what whatever when where whether which while who whom whose why will with within ' +
    'without wont would wouldn may dont doesnt didnt cant couldnt isnt arent wasnt shouldnt done doing gets getting happen happens you your yours yourself tell know explain instruct describe let kindly anyone someone something thing things many ' +
    'possible want wants wanted need needs like help question answer manual manuals guide mean means meant call called lot lots bit quite really actually'
  ).split(' '),
);

/** Words of nearly every manual and nearly every question; alone they are no evidence that a sentence answers. */
const GENERIC = new Set(
  'use using set get got make work go do turn press select button option options device product function feature step steps procedure information instructions change switch start stop open user provide show give find see look take put keep try time model machine appliance unit allow permit proper correct way old new last'
    .split(' ')
    .map((word) => stemmer(word)),
);

/** What people say and what manuals write instead. */
const SYNONYMS: readonly string[] = [
  'delete remove erase clear',
  'enable activate',
  'disable deactivate',
  'fix repair troubleshoot problem trouble issue error fault',
  'clean wash wipe rinse',
  'descale decalcify limescale scale',
  'connect attach pair link plug connection',
  'configure setup adjust customize setting',
  'picture screen image display',
  'sound audio volume',
  'buy purchase order',
  'begin start',
  'television tv',
  'wifi wireless',
  'charge recharge battery',
  'often frequency interval frequently every',
  'hot temperature heat',
  'show display view',
  'choose select',
  'dishwasher dishwashing',
  'blink flash',
  'replace exchange swap',
  'update upgrade',
  'allow permit support',
  'weight weigh heavy kg kilogram',
  'size dimension measure',
  'guarantee warranty',
  'increase enlarge raise bigger',
  'decrease reduce lower',
  'font text letter',
  'mobile phone smartphone',
  'cancel stop',
  'find locate search',
  'see view show',
  'turn switch',
  'froth foam steam',
  'dispose disposal discard waste',
  'fast faster quick quickly',
  'power electricity energy watt',
];

const synonymsOf = new Map<string, ReadonlySet<string>>();
for (const group of SYNONYMS) {
  const stems = new Set(group.split(' ').map((word) => stemmer(word)));
  for (const stem of stems) synonymsOf.set(stem, new Set([...(synonymsOf.get(stem) ?? []), ...stems]));
}

/** The words of a text, in lower case; digits stay, apostrophes go, "e-mail" is one word. */
export function words(text: string): string[] {
  return (
    text
      .toLowerCase()
      .normalize('NFKD')
      .replace(/[’']/g, '')
      .replace(/\bwashing machine/g, 'washer')
      .replace(/\b(wi|hi)-fi\b/g, '$1fi')
      .replace(/(?<![\p{L}\p{N}])(\p{L})-(?=\p{L})/gu, '$1')
      .match(/[\p{L}\p{N}]+(?:[.,]\d+)?/gu) ?? []
  );
}

/** The stems of a text's informative words, in order. */
export function terms(text: string): string[] {
  return words(text)
    .filter((word) => !STOP_WORDS.has(word) && (word.length > 1 || /\d/.test(word)))
    .map((word) => stemmer(word));
}

/** "How long", "how often": the answer is a measure, and names it without the adjective. */
const MEASURE =
  /\bhow (long|often|frequently|much|many|far|big|large|small|tall|high|wide|deep|heavy|hot|cold|loud|fast|old|soon)\b/gi;

/** What the adjective's measure is called. */
const MEASURE_NAMES: Readonly<Record<string, string>> = {
  heavy: 'weight',
  wide: 'width',
  tall: 'height',
  high: 'height',
  deep: 'depth',
  loud: 'noise',
};

/** "On my dishwasher": the stem of what the asker owns, unless it is a word for any product. */
export function ownedTerm(question: string): string | undefined {
  const owned = /\bmy\s+(.+)$/isu.exec(question)?.[1];
  return owned === undefined ? undefined : terms(owned).find((term) => !isGeneric(term));
}

/** The informative stems of a question. */
export function questionTerms(question: string): string[] {
  const named = question.replace(MEASURE, (_, adjective: string) => MEASURE_NAMES[adjective.toLowerCase()] ?? ' ');
  const all = terms(named);
  // Where nothing else is asked about, on or off is the subject.
  const switched = all.every(isGeneric) ? [...new Set(switchings(question))] : [];
  const plain = [...all.filter((term) => switched.length === 0 || !VERBS_OF_SWITCHING.has(term)), ...switched];
  const phrases = findPhrases(question).filter(
    ({ answers, signs }) => answers.length > 0 && !answers.includes(SWITCH) && signs[0] !== TIME,
  );
  // "How big" may mean its size or its capacity: phrases of the same words are one term.
  const composites = [...Map.groupBy(phrases, ({ own }) => own.join(' ')).values()].map((same) => {
    const answers = same.flatMap((phrase) => phrase.answers);
    const own = same.flatMap((phrase) => phrase.own);
    const heads = plain.filter((term) => own.includes(term) || answers.includes(term));
    return [...new Set([...heads, ...answers, ...same.flatMap((phrase) => phrase.signs)])];
  });
  const covered = new Set(composites.flat());
  return [...plain.filter((term) => !covered.has(term)), ...composites.map((stems) => stems.join(ALTERNATIVE))];
}

const VERBS_OF_SWITCHING: ReadonlySet<string> = new Set(['turn', 'switch', 'shut'].map((word) => stemmer(word)));
/** "Turn" and "switch" are everyday words, with or without "on" and "off". */
const SWITCH = stemmer('switch');
/** How long and how often are asked for by kind of sentence, not by word. */
const TIME = '#time';
/** Joins the stems of a term that may be said in several words; the first is the best. */
const ALTERNATIVE = '|';

/** The kinds of measure that a question asks for; none where it asks for no measure. */
export function measuresAsked(question: string): string[] {
  return findPhrases(question).flatMap(({ signs }) => signs.filter(isKindOfMeasure));
}

/** Whether a term of a question asks for a measure. */
export const isMeasureTerm = (term: string): boolean => term.split(ALTERNATIVE).some(isKindOfMeasure);

/** Kinds of measure (`#weight`) that a text states. */
export function kindsOfMeasure(text: string): string[] {
  let isCounted = false;
  return words(text).flatMap((word) => {
    const kind = kindOfMeasure(word, isCounted);
    isCounted = isNumber(word.replace(/[.,]/, ''));
    return kind === undefined ? [] : [stemmer(kind)];
  });
}

export function isGeneric(term: string): boolean {
  return GENERIC.has(term.split(ALTERNATIVE, 1)[0] ?? '');
}

/** "Turn it off", "the machine switches itself off": what is done, whatever the verb. */
const SWITCHED = /\b(?:turn|switch|power|shut)(?:s|es|ed|ing)?\b(?: [^ ]+){0,3}? (on|off|down)\b/gi;

/** `~on` and `~off` for what a text says is switched so. */
export function switchings(text: string): string[] {
  return Array.from(text.matchAll(SWITCHED), ([, particle]) => (particle?.toLowerCase() === 'on' ? '~on' : '~off'));
}

/** How well one of `present` stands for `term`: as matchWord; another word of a phrase counts 0.8, a measure of its kind 0.6. */
export function matchTerm(term: string, present: ReadonlySet<string>): number {
  if (!term.includes(ALTERNATIVE)) return matchWord(term, present);
  const [first = '', ...others] = term.split(ALTERNATIVE);
  if (present.has(first)) return 1;
  const found = others.filter((other) => present.has(other));
  if (found.length > 0) return found.every(isKindOfMeasure) ? 0.6 : 0.8;
  return matchWord(first, present);
}

/** How well one of `present` stands for `term`: 1 the same stem, 0.6 a synonym, 0.5 a near spelling or the head of a compound, else 0. */
function matchWord(term: string, present: ReadonlySet<string>): number {
  if (present.has(term)) return 1;
  const synonyms = synonymsOf.get(term);
  if (synonyms !== undefined) for (const synonym of synonyms) if (present.has(synonym)) return 0.6;
  if (manualSynonymsOf(term).some((synonym) => present.has(synonym))) return 0.6;
  if (term.length < 5 || /\d/.test(term)) return 0;
  for (const other of present) {
    if (other.length >= 5 && (other.startsWith(term) || term.startsWith(other) || oneEditApart(term, other)))
      return 0.5;
  }
  return 0;
}

/** True for words of five letters or more that differ by one letter added or dropped, or of six by one replaced. */
function oneEditApart(a: string, b: string): boolean {
  if (Math.max(a.length, b.length) < 6 || Math.abs(a.length - b.length) > 1 || a[0] !== b[0]) return false;
  let i = 0;
  while (i < a.length && i < b.length && a[i] === b[i]) i += 1;
  const skipA = a.length >= b.length ? 1 : 0;
  const skipB = b.length >= a.length ? 1 : 0;
  return a.slice(i + skipA) === b.slice(i + skipB);
}

import { isStopStem } from './stop-words.ts';
import { stem } from './tokenize.ts';

/** What people ask in words that a manual does not use for it, and the words that it uses. */
interface Phrase {
  readonly asks: RegExp;
  /** Stems that a manual says instead. */
  readonly answers: readonly string[];
  /** What goes with an answer and proves less: kinds of measure, mostly. */
  readonly signs: readonly string[];
  /** A verb with its particle: what stands between them is another matter. */
  readonly isPhrasal: boolean;
}

/** A phrase as it stands in a question. */
export interface FoundPhrase extends Phrase {
  /** The content stems that it is made of; "get rid of" has none. */
  readonly own: readonly string[];
}

const stems = (words: string): string[] =>
  words
    .split(' ')
    .filter((word) => word !== '')
    .map(stem);
const phrase = (asks: RegExp, answers: string, signs = ''): Phrase => ({
  asks: new RegExp(asks, 'g'),
  answers: stems(answers),
  signs: stems(signs),
  isPhrasal: false,
});
/** A verb and, at most three words later, its particle: "take the panel off". */
const phrasal = (verbs: string, particles: string, answers: string): Phrase => ({
  ...phrase(new RegExp(`\\b(?:${verbs})\\b(?: [^ ]+){0,3}? (?:${particles})\\b`), answers),
  isPhrasal: true,
});

/** "How heavy is it?", "What is its weight?": the words after "how", and the nouns after "what is the". */
const measure = (how: string, what: string, answers: string, kind: string): Phrase =>
  phrase(
    new RegExp(
      `\\bhow (?:${how})|(?<=^|\\bwh(?:at|ich)(?:['’]?s| is| are| was)? (?:the |its |your )?(?:[^ ]+ ){0,2})\\b(?:${what})\\b`,
    ),
    answers,
    kind,
  );

/**
 * Measures are asked for by one word ("heavy") and stated by another ("mass", "kg"); a phrasal verb stands for one verb of
 * written language ("let out": release). They are the same in manuals of every kind, so none is about any one product.
 */
const PHRASES: readonly Phrase[] = [
  measure('heavy', 'weight|mass', 'weight weigh heavy mass', '#weight'),
  measure(
    'wide|tall|high|deep|thick|big|large|small',
    'dimensions?|measurements?|size|width|height|depth',
    'dimension measurement size width height depth',
    '#length',
  ),
  phrase(/(?<=\bhow much\b.*)\bweighs?\b/, 'weight weigh heavy mass', '#weight'),
  measure('big|large', 'capacity|volume', 'capacity volume', '#volume'),
  phrase(/(?<=\bhow much\b.*)\b(?:holds?|fits?|contains?)\b/, 'capacity volume hold', '#volume'),
  measure('far', 'length|range|distance', 'length distance range', '#length'),
  phrase(/\bhow long (?:is|are) (?!.*(?:warranty|guarantee))/, 'length', '#length #time'),
  measure(
    'powerful|many watts|much (?:power|electricity|energy)',
    'wattage|(?:power|energy|electricity) (?:consumption|use|usage|draw)',
    'watt power consumption',
    '#power',
  ),
  measure('many volts', 'voltage', 'voltage volt', '#voltage'),
  measure('loud|noisy', 'noise level|loudness', 'noise loud', '#noise'),
  measure('hot|cold|warm', 'temperatures?', 'temperature', '#temperature'),
  measure('fast', 'speed', 'speed rate', '#speed'),
  phrase(
    /\bhow long (?:do|does|will|until|before|can|may|should|must)\b|\bhow (?:many|much) (?:minutes|hours|days|time)\b/,
    '',
    '#time',
  ),
  phrase(/\bhow (?:often|frequently)\b/, 'every interval regularly', '#time daily weekly monthly yearly'),
  phrase(
    /\bthrow(?:ing)? (?:\w+ ){0,3}?(?:away|out)\b|\bget(?:ting)? rid\b|\bdispos\w*|\bdiscard\w*|\brecycl\w*|\bscrap\b/,
    'dispose disposal discard recycle recycling throw waste rubbish',
    'household collection environment bin weee',
  ),
  phrasal('take|pull|get|lift|pop', 'off|out|apart', 'remove detach'),
  phrasal('put|fit|stick', 'on|in|back|together', 'insert attach install'),
  phrasal('let', 'out|go', 'release drain vent'),
  phrasal('pick', 'up', 'answer'),
  phrasal('hook|plug|wire|link', 'up|in|into', 'connect connection'),
  phrasal('turn|switch|shut|power', 'off|down', 'switch turn power'),
  phrasal('turn|switch|power|start', 'on|up', 'switch turn power'),
  phrasal('start|set', 'over|again', 'restart reset'),
  phrase(/\bin the box\b|\bcomes? with\b|\bincluded\b|\bsupplied\b/, 'content included supplied package accessory'),
  phrase(
    /\bcustomer service\b|\bhelp ?line\b|\bhotline\b|\b(?:tele)?phone number\b|\bcontact\b|\bget help\b/,
    'service support hotline contact',
    'phone telephone email website',
  ),
  phrase(/\bback(?:ing)? (?:[^ ]+ ){0,2}?up\b/, 'backup restore save'),
  phrase(/\blog(?:ging)? ?(?:in|on)\b|\bsign(?:ing)? ?in\b/, 'login sign username user password account'),
  phrase(/\bwhere .*\b(?:put|place|stand|locate|position)\b|\bplace for\b/, 'place position put install location'),
  phrase(/\bfrom (?:abroad|outside|away|anywhere|afar)\b|\bwhile away\b/, 'remote outside away'),
  phrase(
    /\b(?:does|do|is|will)(?:n't|n’t| not) (?:work|start|react|respond|turn|switch|open|close|heat|charge|connect)/,
    'troubleshooting problem fault',
  ),
  phrase(/\b(?:kid|child|son|daughter|toddler|bab(?:y|ie))/, 'child children kid young age family'),
  phrase(
    /\b(?:every|on|each) (?:mon|tues|wednes|thurs|fri|satur|sun)days?\b|\bat \d{1,2}(?::\d\d)? ?(?:am|pm)\b/,
    'weekday schedule timer timetable',
  ),
  phrase(/\be-?mail address\b/, 'email mail support service'),
  phrase(/\bfirst (?:use|time)\b|\bbrand new\b/, 'first before initial'),
];

/** The phrases in a question. */
export function findPhrases(question: string): FoundPhrase[] {
  const text = question.toLowerCase();
  return PHRASES.flatMap((known) => {
    const found = Array.from(text.matchAll(known.asks), ([words]) => words);
    if (found.length === 0) return [];
    const own = (found.join(' ').match(/[\p{L}\p{N}]+/gu) ?? []).map(stem).filter((stemmed) => !isStopStem(stemmed));
    return [{ ...known, own: known.isPhrasal ? own.slice(0, 1) : own }];
  });
}

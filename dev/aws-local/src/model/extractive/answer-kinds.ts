import { isImperative } from './imperative.ts';
import { kindsOfMeasure, measuresAsked } from './terms.ts';

/** How a sentence looks that answers a question of some kind. */
export interface AnswerKind {
  fits(sentence: string): boolean;
  /** Where a sentence fits, those that don't are no part of the answer. */
  readonly strict: boolean;
  /** A sentence that does not fit is no answer at all. */
  readonly required: boolean;
}

const UNIT = '(?:seconds?|minutes?|hours?|days?|weeks?|months?|years?)';
const NUMBER_WORD =
  '(?:half|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|fifteen|twenty|thirty|forty|fifty|sixty|hundred)';
const NUMBER = `(?:\\d+(?:[.,]\\d+)?|an?|${NUMBER_WORD})`;

const FREQUENCY = new RegExp(
  `\\b(?:every|once|twice|daily|weekly|monthly|yearly|annually|regularly|per ${UNIT}|each (?:${UNIT}|use|time)|(?:end|start) of (?:each|every)|after (?:each|every|${NUMBER}\\s+\\w+)|times)\\b`,
  'i',
);
const DURATION = new RegExp(`(?<!\\b(?:every|each)\\s+(?:\\w+\\s+)?)\\b${NUMBER}[ -]${UNIT}\\b`, 'i');
const LENGTH = /\d\s*(?:m|cm|mm|km|met(?:re|er)s?|(?:centi|milli|kilo)met(?:re|er)s?|inch(?:es)?|feet|ft)\b/i;
const COUNT = new RegExp(`\\d|\\b${NUMBER_WORD}\\b`, 'i');
const AMOUNT = new RegExp(
  `\\d|\\b${NUMBER_WORD} (?:${UNIT}|\\w*lit(?:re|er)s?|\\w*grams?|\\w*met(?:re|er)s?|degrees?|volts?|watts?|bars?|percent|pounds?|ounces?|inch(?:es)?)\\b`,
  'i',
);
const PLACE =
  /\b(?:in|on|under|at|behind|above|below|beneath|next to|between|inside|beside|near|left|right|top|bottom|rear|back|front|side|menu|settings|corner)\b/i;
const LIES =
  /\b(?:is|are|located|found|lies?|sits?|stored|kept)\b[^.;]{0,40}?\b(?:in|on|under|at|behind|above|below|beneath|next to|between|inside|beside|near)\b/i;
const PERSON =
  /\b(?:services?|technicians?|electricians?|dealers?|adults?|child(?:ren)?|persons?|people|professionals?|specialists?|experts?|manufacturer|engineers?|users?|customers?|owners?|staff|anyone|someone|nobody|company|installers?|plumbers?)\b/i;

/** How long and how often have rules of their own. */
const TIME = '#time';

/** "Every three months", "after 200 cups" */
const INTERVAL = /\b(?:every|after)\s+(?:\w+\s+)?\w+/gi;

interface Rule {
  readonly asks: RegExp;
  readonly fits: (sentence: string, question: string) => boolean;
  readonly strict?: true;
  readonly required?: true;
}

/** "The tank is behind the door." */
export const tellsPlace = (sentence: string): boolean => LIES.test(sentence) && !isImperative(sentence);

const matches = (pattern: RegExp) => (sentence: string) => pattern.test(sentence);

/** The first that asks decides. */
const RULES: readonly Rule[] = [
  { asks: /\bhow (?:often|frequently|many times)\b/i, fits: matches(FREQUENCY), strict: true },
  {
    asks: /\bhow long\b/i,
    fits: (sentence) => DURATION.test(sentence) || LENGTH.test(sentence),
    strict: true,
  },
  { asks: /\bhow many\b/i, fits: (sentence, question) => COUNT.test(withoutWordsOf(question, sentence)), strict: true },
  {
    asks: /\bhow (?:hot|cold|warm)\b|\b(?:what|which) temperature\b/i,
    fits: matches(/\d\s*(?:°|degrees?\b|[CF]\b)/),
    strict: true,
  },
  {
    // A property is stated; what is to be done with an amount is another matter.
    asks: /\bhow (?:heavy|big|large|small|tall|high|deep|wide|thick|loud)\b/i,
    fits: (sentence) => AMOUNT.test(sentence) && !isImperative(sentence),
    strict: true,
  },
  {
    asks: /\bhow (?:much|far|old|fast)\b|\bwhat(?:'s| is| are)? (?:the )?(?:pressure|size|weight|voltage|capacity|time|speed|frequency|distance|noise level|power consumption)\b/i,
    fits: (sentence, question) => AMOUNT.test(withoutWordsOf(question, sentence.replace(INTERVAL, ''))),
    strict: true,
  },
  {
    asks: /\bwhen (?:should|must|do|does|to|can|is|are|shall)\b/i,
    fits: (sentence) =>
      FREQUENCY.test(sentence) || /\b(?:if|when|before|after|until|as soon as|at least)\b/i.test(sentence),
    strict: true,
  },
  {
    asks: /^\s*(?:and |but )?(?:can|could|may|is it|is there|are there|does|do|is|are|will|should|must)\b/i,
    fits: matches(
      /\b(?:can|cannot|can't|may|not|only|must|should|support(?:s|ed)?|available|possible|allow(?:s|ed)?|if|do not|never|compatible)\b/i,
    ),
  },
  {
    asks: /\bwhere (?:is|are|(?:can|do|could|should) (?:i|you|we) (?:find|locate|see))\b(?!.*\b(?:options?|settings?|lists?|menus?|functions?|features?)\b)/i,
    fits: matches(LIES),
    strict: true,
  },
  { asks: /^\s*(?:and |but )?where\b/i, fits: matches(PLACE) },
  { asks: /^\s*(?:and |but |so )?who\b|\bby whom\b/i, fits: matches(PERSON), strict: true, required: true },
  {
    asks: /\bwhy\b|\bwhat causes\b|\breason\b/i,
    fits: matches(/\b(?:because|due to|since|if|caused?|when|may|reason|so that|to prevent)\b|:/i),
  },
  {
    asks: /\bwhat (?:is|are|does|do)\b|\bwhats\b|\bdefine\b|\bpurpose\b|\bfunction of\b/i,
    fits: matches(
      /\b(?:is|are|means|refers|lets?|allows?|enables?|can|used|provides?|feature|function|automatically)\b/i,
    ),
  },
  {
    asks: /\bwhat (?:should|must|can|do|to do|will)\b|\bwhat if\b|\bnot work/i,
    fits: matches(/\b(?:check|make sure|try|contact|if|must|should|reset|restart|replace)\b/i),
  },
];

/** The kind of sentence a question asks for, if its words tell. */
export function kindOf(question: string): AnswerKind | undefined {
  const measures = measuresAsked(question);
  if (measures.length > 0 && !measures.every((kind) => kind === TIME)) {
    // A property is stated; what is to be done with an amount is another matter.
    const fits = (sentence: string): boolean =>
      kindsOfMeasure(sentence).some((kind) => measures.includes(kind)) && !isImperative(sentence);
    return { fits, strict: true, required: false };
  }
  const rule = RULES.find(({ asks }) => asks.test(question));
  if (rule === undefined) return undefined;
  return {
    // The number of a step is no amount.
    fits: (sentence) => rule.fits(sentence.replace(/^\s*\(?\d{1,2}[.)]\s+/, ''), question),
    strict: rule.strict === true,
    required: rule.required === true,
  };
}

/** "How much for two cups?" is not answered by the "two cups" that it names itself. */
function withoutWordsOf(question: string, sentence: string): string {
  const own = new Set(question.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? []);
  return sentence.replace(/[\p{L}\p{N}]+/gu, (word) => (own.has(word.toLowerCase()) ? '' : word));
}

import { stem } from './tokenize.ts';

/** Words that say nothing about which page is meant: function words and the phrases in which people ask. */
const WORDS = `
a about above after again all also am an and any are as at be because been before being below between both but by
can cannot could did do does doing done down during each few for from further get gets getting give given had has
have having he her here hers him his how i if in into is it its itself just let like may me might more most must my
myself no nor not now of off on once only or other our ours out over own per please same shall she should so some such
than that the their them then there these they this those through to too under until up upon us use used uses using
very via was we were what when where whether which while who whom whose why will with within without would you your
yours explain tell know want need instruct provide instruction instructions procedure process step steps way ways
possible able help thing things
`;

const STOP_STEMS: ReadonlySet<string> = new Set(
  WORDS.split(/\s+/)
    .filter((word) => word !== '')
    .map(stem),
);

export function isStopStem(stemmed: string): boolean {
  return STOP_STEMS.has(stemmed);
}

/** Verbs that people put a question together with; what they are done to matters more. */
const LIGHT_WORDS = 'ask bring come find go happen keep look make mean put say see show take try wish';

const LIGHT_STEMS: ReadonlySet<string> = new Set(LIGHT_WORDS.split(' ').map(stem));

export function isLightStem(stemmed: string): boolean {
  return LIGHT_STEMS.has(stemmed);
}

import { expect, test } from '@jest/globals';
import { parseText } from '../documents/parse-text.ts';
import { cutPassages } from '../passages/cut-passages.ts';
import { ESPRESSO_MANUAL } from '../testing/espresso-manual.ts';
import { indexDocument, type DocumentIndex } from './document-index.ts';
import { search, type SearchHit } from './search.ts';

function indexOf(text: string, id = 'manual'): DocumentIndex {
  const parsed = parseText(text);
  return indexDocument({ id, uri: `s3://manuals/${id}`, metadata: {}, ...parsed, passages: cutPassages(parsed.pages) });
}

const espresso = indexOf(ESPRESSO_MANUAL);
const ask = (text: string, limit = 10, indexes = [espresso]): SearchHit[] => search(indexes, { text, limit });
const pageOf = ({ document, passage }: SearchHit): number | undefined => document.pages[passage.page]?.number;

test.each([
  ['How do I descale it?', 8],
  ['What should I do when the descaling lamp lights up?', 8],
  ['Can I put the portafilter into the dishwasher?', 7],
  ['How do I foam milk with the wand?', 6],
  ['the foam is poor', 11],
  ['How can I change when it switches itself off?', 10],
  ['How long is the guarantee?', 12],
  ['sheduled autommatic switch off', 10],
  ['waterhardness', 9],
  ['water-tank before the first use', 4],
  ['Is it dangerous for kids?', 2],
])('%s', (question, page) => {
  expect(ask(question).slice(0, 1).map(pageOf)).toEqual([page]);
});

const drill = indexOf(
  [
    'Battery drill D2. Read these instructions. The tool is made for wood and metal.',
    'Chuck\n\nTo detach the chuck hold the collar and turn the sleeve. Insert the bit and tighten it. A wide belt clip is at the side.',
    'Charging\n\nThe charger takes an hour. Remove the pack when the lamp is green. Discharge it fully once a month.',
    'Noise and heat are normal while drilling. Wear gloves and goggles. Keep children away from the tool.',
    'Technical data\n\nMass 1.4kg. 182 x 53 x 158 mm. 18V. Idle 1500 rpm. Emission 78 dB.',
    'Environment\n\nOld tools do not belong into household rubbish: hand them in at a collection point.',
    'Service\n\nHotline +44 20 5550 0199, Monday to Friday. Package contents: drill, charger, case.',
  ].join('\f'),
  'drill',
);

test.each([
  ['How heavy is it?', 5],
  ['What are the dimensions?', 5],
  ['How wide is the drill?', 5],
  ['How loud is it?', 5],
  ['What voltage does it need?', 5],
  ['How fast is it?', 5],
  ['How do I take the chuck off?', 2],
  ['How can I get rid of my old drill?', 6],
  ['how do I recycle it', 6],
  ['What is in the box?', 7],
  ['What is the phone number of customer service?', 7],
])('what is asked in other words than a manual has: %s', (question, page) => {
  expect(ask(question, 10, [drill]).slice(0, 1).map(pageOf)).toEqual([page]);
});

test('gives each of the best pages once before any page comes again, scores never rising', () => {
  const hits = ask('machine coffee water', 40);
  const pages = hits.map(pageOf);
  const distinct = new Set(pages).size;
  expect(distinct).toBeGreaterThan(5);
  expect(new Set(pages.slice(0, Math.min(10, distinct))).size).toBe(Math.min(10, distinct));
  const scores = hits.map(({ score }) => score);
  expect(scores).toEqual(scores.toSorted((a, b) => b - a));
  expect(scores.every((score) => score > 0 && score <= 1)).toBe(true);
});

test('scores tell how much of the question the manual holds', () => {
  const [full] = ask('How do I descale the machine?');
  const [part] = ask('How do I descale the dolphin submarine propeller?');
  expect(full?.score).toBeGreaterThan(0.8);
  expect(part?.score).toBeLessThan(0.4);
});

test('a passage is verbatim from one page', () => {
  for (const { text, document, passage } of ask('machine lamp water coffee milk', 100)) {
    expect(document.pages[passage.page]?.sentences.join(' ')).toContain(text);
    expect(text.length).toBeLessThanOrEqual(800);
  }
});

test.each(['', '???', 'what is the', 'zzzzqqqq', '水の硬度', '\u0000\u0007'])('finds nothing for %j', (question) => {
  expect(ask(question)).toEqual([]);
});

test('a question of thousands of words is answered', () => {
  expect(ask('How do I descale the machine with citric acid? '.repeat(400))[0]).toBeDefined();
});

test('searches nothing when there is nothing to search', () => {
  expect(ask('descale', 5, [])).toEqual([]);
});

import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { openKnowledgeBase, until, type OpenKnowledgeBase } from '../../knowledge-base/testing/open-knowledge-base.ts';
import type { SearchHit } from '../../knowledge-base/search/search.ts';
import type { Passage } from './read-request.ts';
import { selectSentences } from './select-sentences.ts';

/** The example manual through the real retrieval: what somebody sees who tries the system without a language model. */
const MANUAL = new URL('../../../../../docs/examples/espresso-machine.pdf', import.meta.url);
const URI = 's3://manuals/espresso-machine.pdf';

let base: OpenKnowledgeBase;

beforeAll(async () => {
  base = await openKnowledgeBase(
    {},
    new Map([
      ['espresso-machine.pdf', await readFile(MANUAL)],
      ['espresso-machine.pdf.metadata.json', Buffer.from('{"metadataAttributes":{"user_id":"demo"}}')],
    ]),
  );
  await base.knowledgeBase.ingest(URI, `${URI}.metadata.json`);
  await until(() => base.knowledgeBase.isSearchable(URI));
}, 30_000);

afterAll(async () => {
  await base.close();
});

interface Quoted {
  readonly page: number;
  readonly text: string;
}

function pageOf({ document, passage }: SearchHit): number {
  return document.pages[passage.page]?.number ?? 0;
}

/** Neighbouring pages make one passage of several blocks, the passage of the best hit first: so the query worker sends them. */
function joinNeighbours(hits: readonly SearchHit[]): SearchHit[][] {
  const groups: SearchHit[][] = [];
  for (const hit of hits.toSorted((a, b) => pageOf(a) - pageOf(b))) {
    const last = groups.at(-1)?.at(-1);
    if (last !== undefined && pageOf(hit) - pageOf(last) <= 1) groups.at(-1)?.push(hit);
    else groups.push([hit]);
  }
  const best = (group: readonly SearchHit[]) => Math.min(...group.map((hit) => hits.indexOf(hit)));
  return groups.toSorted((a, b) => best(a) - best(b));
}

async function ask(question: string, earlierQuestions: readonly string[] = []): Promise<Quoted[]> {
  const groups = joinNeighbours(
    await base.knowledgeBase.retrieve({ text: [...earlierQuestions, question].join(' '), limit: 10 }),
  );
  const passages = groups.map((group, index): Passage => ({
    title: `espresso-machine.pdf, pages ${group.map(pageOf).join(' to ')}`,
    source: 'manual:1',
    blocks: group.map(({ text }) => text),
    reference: { kind: 'search-result', index, citations: true },
  }));
  return selectSentences({ question, earlierQuestions, passages }).map(({ passage, block, text }) => {
    const hit = groups[passage]?.[block];
    return { page: hit === undefined ? 0 : pageOf(hit), text };
  });
}

test('a how-to is answered with the opening and the steps of its section, in order', async () => {
  const answer = await ask('How do I descale it?');
  expect(new Set(answer.map(({ page }) => page))).toEqual(new Set([10]));
  expect(answer.map(({ text }) => text).slice(0, 9)).toEqual([
    'Descale the machine when the ring lights orange, and at least every three months.',
    '1. Empty the drip tray and take the water filter out of the tank.',
    '2. Pour 100 millilitres of the descaler AquaClear and 900 millilitres of water into the tank.',
    '3. Place a bowl of at least one litre under the group head and the steam wand.',
    '4. Hold the clean button for five seconds.',
    'The ring blinks orange and the machine pumps the solution through in pauses.',
    '5. When the ring lights orange without blinking, rinse the tank, fill it with fresh water and press clean.',
    '6. The machine rinses itself and switches off when it is done.',
    'Put the filter back.',
  ]);
});

describe('the first sentence answers, from the right page', () => {
  test.each([
    ['Can I use vinegar?', 10, 'Never use vinegar'],
    ['May I descale with vinegar?', 10, 'Never use vinegar'],
    ['How long does descaling take?', 10, 'about 25 minutes'],
    ['How often should I descale the machine?', 10, 'at least every three months'],
    ['How often must I clean the brew group?', 12, 'once a month'],
    ['How often do I change the filter?', 9, 'every two months'],
    ['When must I empty the drip tray?', 11, 'end of each day'],
    ['How heavy is the machine?', 16, '9.4 kilograms'],
    ['How loud is it?', 16, '68 decibels'],
    ['How long is the cord?', 16, '1.2 metres'],
    ['How long does the warranty last?', 16, 'two years'],
    ['How big is the water tank?', 1, '1.8 litres'],
    ['What pressure does the pump have?', 1, '15 bar'],
    ['How much power does it use when switched off?', 15, '0.5 watts'],
    ['How many buttons are on the control panel?', 4, 'five buttons'],
    ['Where is the brew group?', 4, 'behind the service door'],
    ['Where do I find the test strip?', 4, 'accessory drawer'],
    ['Who may replace a damaged cord?', 3, 'only by the service'],
    ['What does it mean when the ring blinks red?', 13, 'missing or full'],
    ['What happens if the ring is blue?', 13, 'empty or not in its place'],
    ['Why does no coffee come out?', 14, 'ground too finely'],
    ['The espresso runs out too fast', 8, 'choose a lower number'],
    ['the machine wont turn on', 14, 'check the plug'],
    ['What if there is a power cut during descaling?', 10, 'goes on where it stopped'],
    ['How do I change the switch-off time?', 15, 'hold the steam button and press power'],
    ['Milk: how do I froth it?', 7, 'Fill a jug one third'],
    ['How do I make espresso?', 6, 'Put the single basket'],
    ['What should I do before the first use?', 5, 'Remove all tapes'],
    ['How do I clean the brew group?', 12, 'Take the brew group out once a month'],
    ['How do I dispose of the machine?', 16, 'collection point'],
    ['How wide is the machine?', 16, 'Width 28'],
    ['What are the dimensions?', 16, 'Width 28'],
    ['How tall is it?', 16, 'height 38'],
    ['Can I use sparkling water?', 3, 'Mineral water with gas'],
    ['water hardness', 9, 'Hard water makes more scale'],
  ])('%s', async (question, page, phrase) => {
    expect((await ask(question))[0]).toEqual({ page, text: expect.stringContaining(phrase) });
  });
});

test('what a light means is told by the line of just that name, and what follows it', async () => {
  expect((await ask('What does the red ring mean?')).map(({ text }) => text)).toEqual([
    'Ring red: a fault.',
    'Pull the plug, wait ten minutes and try again.',
    'If it is still red, call the service.',
  ]);
});

test('a sentence that only names the subject is left out where another one tells how often', async () => {
  expect(await ask('How often must I clean the brew group?')).toHaveLength(1);
});

test('a follow-up is about what was asked before', async () => {
  expect(await ask('And how long does that take?', ['How do I descale the machine?'])).toContainEqual({
    page: 10,
    text: 'It takes about 25 minutes.',
  });
});

test.each([
  'What is the capital of Mongolia?',
  'Who won the cup?',
  'Who invented espresso?',
  'How do I descale my kettle?',
  'How do I clean my washing machine?',
  'How do I clean the lint filter of my dryer?',
  'What does the orange light on my dishwasher mean?',
  'What does the red light on my router mean?',
  'How often must I change the oil in my car?',
  'How long does the battery last?',
  'How do I connect it to Bluetooth?',
  'How much does a new telephone cost?',
  'Where is the nearest petrol station?',
  'How do I steam vegetables?',
])('is not answered: %s', async (question) => {
  expect(await ask(question)).toEqual([]);
});

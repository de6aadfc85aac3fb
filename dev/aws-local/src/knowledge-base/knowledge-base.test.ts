import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { SearchHit } from './search/search.ts';
import { ESPRESSO_MANUAL, ESPRESSO_PAGES } from './testing/espresso-manual.ts';
import { openKnowledgeBase, until, type OpenKnowledgeBase } from './testing/open-knowledge-base.ts';

const opened: OpenKnowledgeBase[] = [];

async function open(...parameters: Parameters<typeof openKnowledgeBase>): Promise<OpenKnowledgeBase> {
  const knowledgeBase = await openKnowledgeBase(...parameters);
  opened.push(knowledgeBase);
  return knowledgeBase;
}

afterEach(async () => {
  for (const knowledgeBase of opened.splice(0)) await knowledgeBase.close();
});

const QUESTIONS = [
  'How do I descale the machine?',
  'milk foam is bad',
  'registerd waranty',
  'turn it off automatically after one hour',
  'Can the baskets go into the dishwasher, and how do I clean the housing?',
];

async function askAll({ knowledgeBase }: OpenKnowledgeBase, owner: string) {
  const answers: object[][] = [];
  for (const text of QUESTIONS) {
    const hits = await knowledgeBase.retrieve({
      text,
      filter: { op: 'equals', key: 'user_id', value: owner },
      limit: 20,
    });
    answers.push(hits.map(describe));
  }
  return answers;
}

function describe({ document, ordinal, text, score }: SearchHit): object {
  return { id: document.id, ordinal, text, score };
}

/** A manual that differs from the original in a few words and pages. */
const variant = fc
  .record({
    swap: fc.constantFrom(
      ['machine', 'robot'],
      ['milk', 'cream'],
      ['descale', 'decalcify'],
      ['lamp', 'lamp lamp lamp'],
    ),
    drop: fc.integer({ min: 0, max: ESPRESSO_PAGES.length - 1 }),
    repeat: fc.integer({ min: 1, max: 4 }),
  })
  .map(({ swap: [from, to], drop, repeat }) => {
    const pages = ESPRESSO_PAGES.filter((_, page) => page !== drop).map((page) =>
      page.replaceAll(from ?? '', to ?? ''),
    );
    return Array.from({ length: repeat }, () => pages.join('\f')).join('\f');
  });

test('nearly identical manuals of other owners change neither scores, nor order, nor ids', async () => {
  const alone = await open();
  await alone.add('users/ana/espresso.txt', ESPRESSO_MANUAL, 'ana');
  const expected = await askAll(alone, 'ana');
  expect(expected.every((hits) => hits.length > 0)).toBe(true);

  await fc.assert(
    fc.asyncProperty(fc.array(variant, { minLength: 1, maxLength: 4 }), fc.boolean(), async (others, anaFirst) => {
      const crowd = await openKnowledgeBase();
      try {
        if (anaFirst) await crowd.add('users/ana/espresso.txt', ESPRESSO_MANUAL, 'ana');
        for (const [number, text] of others.entries())
          await crowd.add(`users/eve${number}/espresso.txt`, text, `eve${number}`);
        if (!anaFirst) await crowd.add('users/ana/espresso.txt', ESPRESSO_MANUAL, 'ana');
        expect(await askAll(crowd, 'ana')).toEqual(expected);
      } finally {
        await crowd.close();
      }
    }),
    { numRuns: 8 },
  );
});

test('answers the same after a restart, whatever a crash left behind', async () => {
  const before = await open();
  await before.add('users/ana/espresso.txt', ESPRESSO_MANUAL, 'ana');
  await before.add('users/ana/second.txt', ESPRESSO_PAGES.slice(4).join('\f'), 'ana');
  const expected = await askAll(before, 'ana');
  const folder = join(before.dataDir, 'documents');
  await writeFile(join(folder, 'x.content.json'), '{"half":');
  await writeFile(join(folder, 'x.record.json.tmp'), '{');
  const after = await before.reopen();
  opened.push(after);
  expect(await askAll(after, 'ana')).toEqual(expected);
  expect((await readdir(folder)).filter((file) => file.startsWith('x'))).toEqual([]);
});

test('a document whose stored text is damaged is read again from S3', async () => {
  const before = await open();
  await before.add('users/ana/espresso.txt', ESPRESSO_MANUAL, 'ana');
  const expected = await askAll(before, 'ana');
  const folder = join(before.dataDir, 'documents');
  for (const file of await readdir(folder))
    if (file.endsWith('.content.json')) await writeFile(join(folder, file), '{"pages":[');
  const after = await before.reopen();
  opened.push(after);
  await until(() => after.knowledgeBase.isSearchable('s3://manuals/users/ana/espresso.txt'));
  expect(await askAll(after, 'ana')).toEqual(expected);
});

test('an ingest that a stop cut short is taken up at the next start', async () => {
  const reading = Promise.withResolvers<Buffer | undefined>();
  const before = await open({ readObject: () => reading.promise });
  const uri = 's3://manuals/users/ana/espresso.txt';
  await before.knowledgeBase.ingest(uri, `${uri}.metadata.json`);
  const closed = before.knowledgeBase.close();
  reading.resolve(undefined);
  await closed;
  before.objects.set('users/ana/espresso.txt', Buffer.from(ESPRESSO_MANUAL));
  const after = await open({ dataDir: before.dataDir }, before.objects);
  await until(() => after.knowledgeBase.isSearchable(uri));
});

test('the last of several requests about a document wins', async () => {
  const { knowledgeBase, objects } = await open();
  const uri = 's3://manuals/a.txt';
  objects.set('a.txt', Buffer.from('First text about kettles.'));
  const first = knowledgeBase.ingest(uri, `${uri}.metadata.json`);
  objects.set('a.txt', Buffer.from('Second text about toasters.'));
  await Promise.all([first, knowledgeBase.ingest(uri, `${uri}.metadata.json`)]);
  await until(() => knowledgeBase.isSearchable(uri));
  expect(await knowledgeBase.retrieve({ text: 'kettles', limit: 5 })).toEqual([]);
  expect(await knowledgeBase.retrieve({ text: 'toasters', limit: 5 })).toHaveLength(1);

  const deletion = knowledgeBase.delete(uri);
  const again = knowledgeBase.ingest(uri, `${uri}.metadata.json`);
  await Promise.all([deletion, again]);
  await until(() => knowledgeBase.isSearchable(uri));
  await knowledgeBase.delete(uri);
  await until(() => knowledgeBase.record(uri) === undefined);
  expect(await knowledgeBase.retrieve({ text: 'toasters', limit: 5 })).toEqual([]);
});

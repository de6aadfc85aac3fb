import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { newManualId } from '@manuel/contracts';
import type { ManualRow } from '@manuel/ledger';
import { waitFor } from '@manuel/testing';
import type { Context } from './context.ts';
import { startNightly } from './entry/nightly.ts';
import { reconcile } from './entry/reconcile.ts';
import { type Bench, startBench } from './test-support/bench.ts';

let bench: Bench;
let context: Context;
beforeAll(async () => {
  bench = await startBench(process.env, {}, { workers: 0 });
  ({ context } = await bench.worker());
});
afterAll(() => bench.close());

const bucket = 'manuel-manuals';
const contentType = 'text/plain';
const body = (topic: string) => `The ${topic} is cleaned with the brush of the ${topic}. `.repeat(20);
/** Even what happened just now counts. */
const now = { graceMs: -1 };
const kinds = async () => {
  const { findings } = await reconcile(context, { mend: false, ...now });
  return findings.map(({ kind, key, manual_id }) => `${kind} ${key ?? manual_id}`).toSorted();
};
const put = (key: string, text: string) => context.s3.putObject({ bucket, key, body: text, contentType });

async function ready(userId: string, topic: string): Promise<ManualRow> {
  const { jobId, manualId } = await bench.upload(userId, { filename: `${topic}.txt`, bytes: body(topic) });
  expect(await bench.ended(userId, jobId)).toMatchObject({ status: 'completed' });
  const row = await context.ledger.manuals.get(userId, manualId);
  if (!row) throw new Error('a ready manual has a row');
  return row;
}

test('where S3, ledger and index agree there is nothing to report', async () => {
  await ready('anna', 'mixer');
  expect(await kinds()).toEqual([]);
});

test('each way in which they can disagree is found, left alone when only asked for, and mended', async () => {
  const { s3, ledger, index } = context;
  const rows = await Promise.all(
    ['lost', 'bare', 'unindexed', 'ghost', 'stuck', 'dying'].map((topic) => ready('berta', topic)),
  );
  const [lost, bare, unindexed, ghost, stuck, dying] = rows as [
    ManualRow,
    ManualRow,
    ManualRow,
    ManualRow,
    ManualRow,
    ManualRow,
  ];
  const keyOf = (row: ManualRow): string => row.s3_key ?? '';

  await s3.deleteObjects(bucket, [keyOf(lost)]);
  await s3.deleteObjects(bucket, [`${keyOf(bare)}.metadata.json`]);
  await index.remove(`s3://${bucket}/${keyOf(unindexed)}`, 'berta');
  await waitFor(async () => (await index.state('remove', `s3://${bucket}/${keyOf(unindexed)}`)).phase === 'done');
  await ledger.manuals.remove('berta', ghost.manual_id);
  await ledger.manuals.update('berta', stuck.manual_id, { status: 'processing' });
  await ledger.manuals.update('berta', dying.manual_id, { status: 'deleting' });
  const stray = `manuals/berta/${newManualId()}/stray.txt.metadata.json`;
  await put(stray, '{}');

  const expected = [
    `index_without_object ${keyOf(lost)}`,
    `not_indexed ${unindexed.manual_id}`,
    `object_without_row ${keyOf(ghost)}`,
    `object_without_sidecar ${keyOf(bare)}`,
    `row_without_object ${lost.manual_id}`,
    `sidecar_without_object ${keyOf(lost)}`,
    `sidecar_without_object ${stray.replace('.metadata.json', '')}`,
    `unfinished_deletion ${dying.manual_id}`,
    `unfinished_ingest ${stuck.manual_id}`,
  ].toSorted();
  expect(await kinds()).toEqual(expected);
  expect(await kinds()).toEqual(expected);
  // Work that may be under way is nobody's disagreement.
  expect(
    (await reconcile(context, { mend: true })).findings.filter(({ kind }) => kind !== 'index_without_object'),
  ).toEqual([]);

  await reconcile(context, { mend: true, ...now });
  await waitFor(async () => (await kinds()).length === 0, { what: 'all to agree', everyMs: 100 });
  // What is under way is no disagreement; mended it is when the ingestion has ended.
  const mended = [bare, unindexed, stuck].map((row) => row.manual_id);
  await waitFor(
    async () =>
      (await ledger.manuals.all('berta', ['ready'])).filter((row) => mended.includes(row.manual_id)).length === 3,
    { what: 'all to be ready again', everyMs: 100 },
  );
  const after = new Map((await ledger.manuals.all('berta')).map((row) => [row.manual_id, row]));
  expect(after.get(lost.manual_id)).toMatchObject({
    status: 'failed',
    error: { code: 'upload_missing', detail: expect.stringMatching(/again/) },
  });
  for (const row of [ghost, dying]) expect(after.has(row.manual_id)).toBe(false);
  expect(
    (await bench.keys('manuals/berta/')).filter(
      (key) => key.includes(ghost.manual_id) || key.includes(dying.manual_id),
    ),
  ).toEqual([]);
});

test('documents from before belong to nobody until they are given to a user', async () => {
  const legacy = ['old/toaster.txt', 'manuals/lamp.txt'];
  for (const key of legacy) await put(key, body(key.replace(/\W/g, ' ')));
  await bench.agent.ingestDocuments(
    legacy.map((key) => ({ uri: `s3://${bucket}/${key}`, metadataUri: `s3://${bucket}/${key}.metadata.json` })),
  );
  const statuses = async () =>
    new Map(await Array.fromAsync(bench.documents(), ({ uri, status }): [string, string] => [uri, status]));
  await waitFor(async () => {
    const known = await statuses();
    return legacy.every((key) => known.get(`s3://${bucket}/${key}`) === 'INDEXED');
  });
  const search = async (ownerId: string) =>
    (await bench.search({ ownerId, text: 'toaster lamp brush', limit: 20 })).map(({ manual_id }) => manual_id);
  for (const user of ['anna', 'carl', 'undefined', 'null', '-']) {
    expect((await search(user)).filter((id) => !id.startsWith('man_'))).toEqual([]);
  }
  expect(await search('carl')).toEqual([]);
  expect(await kinds()).toEqual(legacy.map((key) => `unowned_document ${key}`).toSorted());

  const { adopted } = await reconcile(context, { mend: false, adoptFor: 'carl' });
  expect(adopted.map(({ key, outcome }) => `${key} ${outcome}`).toSorted()).toEqual(
    legacy.map((key) => `${key} ready`).toSorted(),
  );
  expect(new Set(await search('carl'))).toEqual(new Set(adopted.map(({ manualId }) => manualId)));
  expect(await search('anna')).not.toEqual(expect.arrayContaining(adopted.map(({ manualId }) => manualId)));
  expect((await bench.keys()).filter((key) => legacy.includes(key))).toEqual([]);
  await waitFor(
    async () => ![...(await statuses()).keys()].some((uri) => legacy.some((key) => uri.endsWith(`/${key}`))),
  );
  expect(await kinds()).toEqual([]);
});

test('nightly one worker reconciles, mends what loses nothing, and tells of files that nobody names', async () => {
  const row = await ready('dora', 'scale');
  const other = await ready('dora', 'clock');
  await context.ledger.manuals.remove('dora', other.manual_id);
  const at = (hour: number) => startNightly(context, () => new Date(Date.UTC(2026, 10, 21, hour, 5)));
  for (const hour of [2, 4]) {
    const nightly = at(hour);
    expect(await nightly.look()).toBe(false);
    nightly.stop();
  }
  const nights = [at(3), at(3)];
  const ran = await Promise.all(nights.map((nightly) => nightly.look()));
  expect(ran.filter(Boolean)).toHaveLength(1);
  for (const nightly of nights) nightly.stop();
  expect(await bench.keys(`manuals/dora/${other.manual_id}/`)).toHaveLength(2);
  expect(await context.ledger.manuals.get('dora', row.manual_id)).toMatchObject({ status: 'ready' });
});

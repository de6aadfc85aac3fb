import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { newManualId } from '@manuel/contracts';
import { makePdf, waitFor } from '@manuel/testing';
import { type Bench, startBench } from './test-support/bench.ts';

let bench: Bench;
beforeAll(async () => {
  bench = await startBench(process.env);
});
afterAll(() => bench.close());

const row = (user: string, manualId: string) => bench.context.ledger.manuals.get(user, manualId);

test('an uploaded PDF of 120 pages becomes ready: stored with its owner’s name, searchable, nothing left behind', async () => {
  const pages = Array.from(
    { length: 120 },
    (_, index) => `Chapter ${index + 1}\nTo descale, turn valve number ${index + 1} slowly.`,
  );
  const bytes = await makePdf({ pages, title: 'Coffee machine' });
  const { jobId, manualId } = await bench.upload('anna', { filename: 'Coffee (1).pdf', bytes });
  const view = await bench.ended('anna', jobId);
  expect(view).toMatchObject({
    status: 'completed',
    progress: { step: 'ready', percent: 100 },
    result: { manual_id: manualId, filename: 'Coffee (1).pdf', pages: 120, bytes: bytes.length, status: 'ready' },
  });
  const key = `manuals/anna/${manualId}/Coffee-1.pdf`;
  expect(await row('anna', manualId)).toMatchObject({
    status: 'ready',
    s3_key: key,
    title: 'Coffee machine',
    content_type: 'application/pdf',
  });
  expect(await bench.keys()).toEqual([key, `${key}.metadata.json`]);
  const sidecar = await bench.context.s3.getObject({
    bucket: 'manuel-manuals',
    key: `${key}.metadata.json`,
    maxBytes: 10_000,
  });
  expect(JSON.parse(sidecar!.bytes.toString())).toEqual({
    metadataAttributes: {
      user_id: 'anna',
      uploaded_by: 'anna',
      manual_id: manualId,
      original_filename: 'Coffee (1).pdf',
      upload_timestamp: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/),
      upload_method: 'body',
      file_type: 'pdf',
    },
  });
});

test('a document at fault fails with its reason, leaves nothing, and charges nothing', async () => {
  const { jobId, manualId } = await bench.upload('berta', {
    filename: 'scan.pdf',
    bytes: await makePdf({ pages: ['', ''] }),
  });
  const view = await bench.ended('berta', jobId);
  expect(view).toMatchObject({ status: 'failed', attempts: 1, error: { code: 'document_without_text', status: 422 } });
  await waitFor(async () => (await row('berta', manualId))?.status === 'failed');
  expect((await row('berta', manualId))?.error).toEqual({
    code: 'document_without_text',
    detail: expect.stringMatching(/OCR/),
  });
  expect(await bench.keys('manuals/berta/')).toEqual([]);
  expect(await bench.keys('uploads/berta/')).toEqual([]);
});

const text = (topic: string, lines = 40) =>
  Array.from(
    { length: lines },
    (_, index) => `The ${topic} part ${index} is cleaned with ${topic} brush number ${index}.`,
  ).join('\n');
const statusOf = async (user: string, manualId: string) => (await row(user, manualId))?.status;
const uriStates = async () => Array.fromAsync(bench.documents(), ({ uri, status }) => `${status} ${uri}`);
const finds = async (user: string, words: string) =>
  (await bench.search({ ownerId: user, text: words, limit: 20 })).map(({ manual_id }) => manual_id);

test('the same bytes again give the manual that is there, also when both come at once', async () => {
  const bytes = text('juicer');
  const [first, second] = await Promise.all([
    bench.upload('clara', { filename: 'a.txt', bytes }),
    bench.upload('clara', { filename: 'b.txt', bytes }),
  ]);
  const results = await Promise.all(
    [first, second].map(async ({ jobId }) => (await bench.ended('clara', jobId)).result),
  );
  const [kept] = results.map((result) => result?.['manual_id']);
  expect(results.map((result) => result?.['manual_id'])).toEqual([kept, kept]);
  await bench.resetCalls();
  const third = await bench.upload('clara', { filename: 'c.txt', bytes });
  expect((await bench.ended('clara', third.jobId)).result).toMatchObject({ manual_id: kept, status: 'ready' });
  expect(await bench.calls('bedrock-agent')).toEqual({});
  expect((await bench.context.ledger.manuals.all('clara')).map(({ manual_id }) => manual_id)).toEqual([kept]);
  expect(await bench.keys('manuals/clara/')).toHaveLength(2);
  expect(await bench.keys('uploads/clara/')).toEqual([]);
  const other = await bench.upload('dora', { filename: 'a.txt', bytes });
  expect((await bench.ended('dora', other.jobId)).result).toMatchObject({ manual_id: other.manualId });
});

test('a new version replaces the old: never a moment without either, then only the new', async () => {
  const old = await bench.upload('emil', { filename: 'oven.txt', bytes: text('oven') });
  await bench.ended('emil', old.jobId);
  const fresh = await bench.upload('emil', { filename: 'oven.txt', bytes: text('oven', 60), replaces: old.manualId });
  const seen: string[][] = [];
  const watch = setInterval(
    () =>
      void bench.context.ledger.manuals.all('emil', ['ready']).then((rows) => seen.push(rows.map((r) => r.manual_id))),
    5,
  );
  await bench.ended('emil', fresh.jobId);
  await waitFor(async () => (await row('emil', old.manualId)) === undefined, { what: 'the old one to go' });
  clearInterval(watch);
  expect(seen.filter((ready) => ready.length === 0)).toEqual([]);
  expect(await statusOf('emil', fresh.manualId)).toBe('ready');
  expect(new Set(await finds('emil', 'oven brush'))).toEqual(new Set([fresh.manualId]));
  expect(await bench.keys(`manuals/emil/${old.manualId}/`)).toEqual([]);
});

test('a deleted manual leaves no object, sidecar, index entry or row; deleting twice is clean', async () => {
  const { jobId, manualId } = await bench.upload('fritz', { filename: 'saw.md', bytes: text('saw') });
  await bench.ended('fritz', jobId);
  const version = await bench.context.ledger.manuals.version('fritz');
  const [one, two] = await Promise.all([bench.remove('fritz', manualId), bench.remove('fritz', manualId)]);
  for (const id of [one, two]) {
    expect(await bench.ended('fritz', id)).toMatchObject({
      status: 'completed',
      result: { manual_id: manualId, status: 'deleted' },
    });
  }
  expect(await row('fritz', manualId)).toBeUndefined();
  expect(await bench.keys('manuals/fritz/')).toEqual([]);
  expect((await uriStates()).filter((state) => state.includes(manualId))).toEqual([]);
  expect(await bench.context.ledger.manuals.version('fritz')).toBeGreaterThan(version);
});

test('a manual deleted while it is being ingested is gone, whatever step it was at', async () => {
  for (const until of ['fetching', 'storing', 'indexing'] as const) {
    const { jobId, manualId } = await bench.upload('gerda', {
      filename: `${until}.txt`,
      bytes: text(`drill ${until}`, 400),
    });
    const order = ['queued', 'received', 'fetching', 'checking', 'storing', 'indexing', 'ready'];
    await waitFor(
      async () => {
        const step = (await bench.admitter.view('gerda', jobId))?.progress.step ?? 'queued';
        return order.indexOf(step) >= order.indexOf(until);
      },
      { everyMs: 1 },
    );
    const removed = await bench.remove('gerda', manualId);
    expect(await bench.ended('gerda', removed)).toMatchObject({ status: 'completed' });
    expect(['completed', 'failed']).toContain((await bench.ended('gerda', jobId)).status);
    expect(await row('gerda', manualId)).toBeUndefined();
    expect([...(await bench.keys('manuals/gerda/')), ...(await bench.keys('uploads/gerda/'))]).toEqual([]);
    expect((await uriStates()).filter((state) => state.includes(manualId))).toEqual([]);
  }
});

test('another user’s upload cannot be taken in, nor one that is gone or was changed', async () => {
  const { s3 } = bench.context;
  const put = (key: string, body: string) =>
    s3.putObject({ bucket: 'manuel-manuals', key, body, contentType: 'text/plain' });
  await put('uploads/hans/secret', text('safe'));
  const admit = (key: string, etag?: string) =>
    bench.admit('ida', {
      manual_id: newManualId(),
      filename: 'x.txt',
      upload_method: 'presigned',
      source: { kind: 'object', key, ...(etag === undefined ? {} : { etag }) },
    });
  const { etag } = await put('uploads/ida/changed', text('first'));
  await put('uploads/ida/changed', text('second'));
  const jobs = await Promise.all([
    admit('uploads/hans/secret'),
    admit('uploads/ida/none'),
    admit('uploads/ida/changed', etag),
  ]);
  const codes = await Promise.all(jobs.map(async (id) => (await bench.ended('ida', id)).error?.code));
  expect(codes).toEqual(['upload_missing', 'upload_missing', 'upload_mismatch']);
  expect(await bench.keys('manuals/ida/')).toEqual([]);
  expect(await bench.keys('uploads/hans/')).toEqual(['uploads/hans/secret']);
});

test('a failed manual can be indexed again from what is stored; old encodings are stored as UTF-8', async () => {
  const bytes = Buffer.from(`Kühlschrank\n${text('Kühlschrank')}`, 'latin1');
  const { jobId, manualId } = await bench.upload('jana', { filename: 'kühl.txt', bytes });
  await bench.ended('jana', jobId);
  const { ledger, s3 } = bench.context;
  const key = (await row('jana', manualId))?.s3_key ?? '';
  expect((await s3.getObject({ bucket: 'manuel-manuals', key, maxBytes: 1e6 }))?.bytes.toString()).toMatch(
    /^Kühlschrank/,
  );
  await ledger.manuals.update('jana', manualId, { status: 'processing' });
  const again = await bench.admit('jana', {
    manual_id: manualId,
    upload_method: 'reindex',
    source: { kind: 'stored' },
  });
  expect(await bench.ended('jana', again)).toMatchObject({ status: 'completed', result: { manual_id: manualId } });
  expect(await statusOf('jana', manualId)).toBe('ready');
});

test('an ingest that is cancelled says so and leaves nothing', async () => {
  const { jobId, manualId } = await bench.upload('karl', { filename: 'k.txt', bytes: text('kettle', 4000) });
  await bench.admitter.cancel('karl', jobId);
  await waitFor(async () => (await row('karl', manualId))?.status !== 'processing' || undefined);
  expect(await bench.keys('uploads/karl/')).toEqual([]);
  expect((await row('karl', manualId))?.error?.code ?? 'no row').toMatch(/cancelled|no row/);
});

test('questions asked before are answered again after an upload', async () => {
  const asked = { question: 'How do I clean the grill?', persona: 'default' as const };
  bench.cache.asked.note('lena', asked);
  await waitFor(async () => (await bench.cache.asked.top('lena', 1)).length === 1);
  const { jobId } = await bench.upload('lena', { filename: 'grill.txt', bytes: text('grill') });
  await bench.ended('lena', jobId);
  const warmUps = (await bench.context.ledger.jobs.openOf('lena')).filter(({ job }) => job === 'query');
  expect(warmUps.map(({ payload }) => payload)).toEqual([expect.objectContaining({ ...asked, warm_up: true })]);
});

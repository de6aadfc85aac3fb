import { afterAll, beforeAll, expect, test } from '@jest/globals';
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

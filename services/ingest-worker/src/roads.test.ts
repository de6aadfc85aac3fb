import { createServer, type Server } from 'node:http';
import type { AddressInfo, LookupFunction } from 'node:net';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { newManualId } from '@manuel/contracts';
import { makePdf, waitFor } from '@manuel/testing';
import { type Bench, startBench } from './test-support/bench.ts';

let bench: Bench;
let server: Server;
let port: number;
let pdf: Buffer;

/** Names of the public net that lead to our own server, for this test alone. */
const lookup: LookupFunction = (_host, _options, callback) => callback(null, [{ address: '127.0.0.1', family: 4 }]);

beforeAll(async () => {
  pdf = await makePdf({
    pages: Array.from(
      { length: 12 },
      (_, page) => `Grinder page ${page}\nTurn the burr ${page} to the left and clean it with brush ${page}.`,
    ),
    title: 'Grinder',
  });
  server = createServer((request, response) => {
    if (request.url === '/grinder.pdf')
      response.writeHead(200, { 'content-type': 'application/octet-stream' }).end(pdf);
    else if (request.url === '/moved') response.writeHead(301, { location: '/grinder.pdf' }).end();
    else if (request.url === '/inside') response.writeHead(302, { location: 'http://127.0.0.1:1/' }).end();
    else if (request.url === '/page.pdf') response.end('<!doctype html><title>Sign in</title>');
    else response.writeHead(404).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  port = (server.address() as AddressInfo).port;
  bench = await startBench(
    process.env,
    { ingest: { mode: 'job', jobs_per_s: 10, poll_initial_ms: 20, poll_max_ms: 200 } },
    { workers: 2, context: { fetchPolicy: { lookup, isAllowed: (address) => address === '127.0.0.1' } } },
  );
});
afterAll(async () => {
  await bench.close();
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

async function fetchManual(userId: string, path: string) {
  const manualId = newManualId();
  const url = `http://manuals.example.com:${port}${path}`;
  const jobId = await bench.admit(userId, { manual_id: manualId, upload_method: 'url', source: { kind: 'url', url } });
  return { manualId, url, view: await bench.ended(userId, jobId) };
}

test('a manual is fetched from its address, over a redirect, and says where it came from', async () => {
  const { manualId, url, view } = await fetchManual('anna', '/moved');
  expect(view).toMatchObject({ status: 'completed', result: { manual_id: manualId, pages: 12, bytes: pdf.length } });
  const row = await bench.context.ledger.manuals.get('anna', manualId);
  expect(row).toMatchObject({ status: 'ready', content_type: 'application/pdf', source_url: url, title: 'Grinder' });
  const sidecar = await bench.context.s3.getObject({
    bucket: 'manuel-manuals',
    key: `${row?.s3_key}.metadata.json`,
    maxBytes: 9999,
  });
  expect(JSON.parse(String(sidecar?.bytes))).toMatchObject({
    metadataAttributes: { source_url: url, upload_method: 'url' },
  });
});

test('an address that fails says why, and is tried again only where that can help', async () => {
  const [gone, inside, web] = await Promise.all(
    ['/none.pdf', '/inside', '/page.pdf'].map((path) => fetchManual('berta', path)),
  );
  expect(gone?.view).toMatchObject({
    status: 'failed',
    attempts: 1,
    error: { code: 'fetch_failed', detail: expect.stringMatching(/404/) },
  });
  expect(inside?.view).toMatchObject({ status: 'failed', attempts: 1, error: { code: 'fetch_refused' } });
  expect(web?.view).toMatchObject({ status: 'failed', error: { code: 'document_without_text' } });
  expect(await bench.keys('manuals/berta/')).toEqual([]);
});

test('in job mode one ingestion job at a time carries all that waits, and no direct call is made', async () => {
  await bench.resetCalls();
  const topics = Array.from({ length: 12 }, (_, index) =>
    `Vacuum ${index}: empty the bag ${index} and rinse the filter ${index}. `.repeat(20),
  );
  const uploads = await Promise.all(
    topics.map((bytes, index) => bench.upload(`user${index % 3}`, { filename: `v${index}.txt`, bytes })),
  );
  for (const [index, { jobId }] of uploads.entries()) {
    expect(await bench.ended(`user${index % 3}`, jobId)).toMatchObject({ status: 'completed' });
  }
  const calls = await bench.calls('bedrock-agent');
  expect(calls['IngestKnowledgeBaseDocuments']).toBeUndefined();
  expect(calls['StartIngestionJob']).toBeLessThan(uploads.length);
});

test('in job mode a deletion takes the file first and the ingestion job then empties the index', async () => {
  const { jobId, manualId } = await bench.upload('carl', {
    filename: 'fan.txt',
    bytes: 'The fan turns left and right. '.repeat(30),
  });
  await bench.ended('carl', jobId);
  const removed = await bench.remove('carl', manualId);
  expect(await bench.ended('carl', removed)).toMatchObject({ status: 'completed', result: { status: 'deleted' } });
  expect(await bench.keys('manuals/carl/')).toEqual([]);
  const known = await Array.fromAsync(bench.documents(), ({ uri }) => uri);
  expect(known.filter((uri) => uri.includes(manualId))).toEqual([]);
  expect((await bench.calls('bedrock-agent'))['DeleteKnowledgeBaseDocuments']).toBeUndefined();
});

test('an outage of the index is waited out', async () => {
  const chaos = (body: object) => fetch(`${bench.endpoint}/_chaos`, { method: 'POST', body: JSON.stringify(body) });
  await chaos({ service: 'bedrock-agent', fault: 'error', count: 3 });
  await chaos({ service: 's3', operation: 'PutObject', fault: 'error', count: 1 });
  const { jobId } = await bench.upload('dora', { filename: 'd.txt', bytes: 'The door of the dryer. '.repeat(30) });
  expect(await bench.ended('dora', jobId)).toMatchObject({ status: 'completed' });
  await waitFor(async () => (await bench.keys('uploads/dora/')).length === 0);
});

import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import type { JobView, ManualView, Problem, UploadView } from '@manuel/contracts';
import { makePdf } from '@manuel/testing';
import { type TestGateway, type TestWorld, startTestWorld } from '../test-support/start-test-gateway.ts';

let world: TestWorld;
let gateway: TestGateway;
let userId: string;
let headers: Record<string, string>;

beforeAll(async () => {
  world = await startTestWorld(process.env);
  gateway = await world.gateway({ request: { max_size_mb: 2 } });
  headers = { authorization: `Bearer ${await world.token()}` };
  ({ userId } = await gateway.gateway.tokens.verify(await world.token()));
});
afterAll(() => world.close());

/** Every test begins without manuals and staged uploads. */
beforeEach(async () => {
  const { ledger, s3, settings } = gateway.gateway;
  for (const { manual_id } of await ledger.manuals.all(userId)) await ledger.manuals.remove(userId, manual_id);
  await s3.deleteObjects(settings.storage.manuals_bucket, await staged());
});

async function staged(): Promise<string[]> {
  const { s3, settings } = gateway.gateway;
  const keys: string[] = [];
  for await (const { key } of s3.listObjects(settings.storage.manuals_bucket, `uploads/${userId}/`)) keys.push(key);
  return keys;
}

const send = (method: string, path: string, body?: unknown, more: Record<string, string> = {}) =>
  fetch(gateway.url + path, {
    method,
    redirect: 'manual',
    headers: { ...headers, ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...more },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
const upload = (body: unknown, more?: Record<string, string>) => send('POST', '/api/manuals/upload', body, more);
const list = async (): Promise<ManualView[]> =>
  ((await (await send('GET', '/api/manuals')).json()) as { items: ManualView[] }).items;

let turn = 0;
/** A text that no test has sent before. */
const fresh = () => {
  turn += 1;
  const text = `Manual ${turn}. Press the button and wait until the light is green. ${'x'.repeat(turn)}`;
  return { filename: `manual-${turn}.txt`, content_type: 'text/plain', content: Buffer.from(text).toString('base64') };
};

test('a manual in the body is checked, staged and shown at once', async () => {
  const pdf = await makePdf({ pages: ['Descale the machine every three months with the descaler that came with it.'] });
  const response = await upload({
    filename: '../ma\u0000schine.pdf',
    content_type: 'application/pdf',
    content: pdf.toString('base64'),
  });
  expect(response.status).toBe(202);
  const job = (await response.json()) as JobView;
  expect(job).toMatchObject({ operation: 'ingest', status: 'queued' });
  const [manual] = await list();
  expect(manual).toMatchObject({
    filename: 'maschine.pdf',
    content_type: 'application/pdf',
    bytes: pdf.length,
    status: 'processing',
  });
  const row = await gateway.gateway.ledger.manuals.get(userId, manual?.manual_id ?? '');
  expect(row).toMatchObject({ job_id: job.id, upload_method: 'body' });
  const jobRow = await gateway.gateway.ledger.jobs.get(userId, job.id);
  const [key] = await staged();
  expect(jobRow?.payload).toMatchObject({ manual_id: manual?.manual_id, source: { kind: 'object', key } });
  expect(key).toMatch(new RegExp(`^uploads/${userId}/`));
});

test('a form does the same', async () => {
  const form = new FormData();
  form.append('file', new Blob(['Press the button and wait until the light is green. By form.']), 'Gerät ü.md');
  form.append('priority', 'low');
  const response = await fetch(`${gateway.url}/api/manuals/upload`, { method: 'POST', headers, body: form });
  expect([response.status, ((await response.json()) as JobView).priority]).toEqual([202, 'low']);
  expect(await list()).toMatchObject([{ filename: 'Gerät ü.md', content_type: 'text/markdown', status: 'processing' }]);
});

test('the same bytes again are the job in work, then the manual itself', async () => {
  const body = fresh();
  const first = (await (await upload(body)).json()) as JobView;
  const again = await upload({ ...body, filename: 'other-name.txt' });
  expect([again.status, ((await again.json()) as JobView).id]).toEqual([202, first.id]);
  const [manual] = await list();
  const { ledger } = gateway.gateway;
  await ledger.manuals.update(userId, manual?.manual_id ?? '', { status: 'ready', pages: 1 });
  const calls = (await world.calls())['s3']?.['PutObject'];
  const ready = await upload(body);
  expect([ready.status, await ready.json()]).toEqual([
    200,
    { manual_id: manual?.manual_id, filename: body.filename, pages: 1, bytes: manual?.bytes, status: 'ready' },
  ]);
  expect((await world.calls())['s3']?.['PutObject']).toBe(calls);
  // Those of another user are another user's.
  const other = { authorization: `Bearer ${await world.token('other@example.com')}` };
  expect((await upload(body, other)).status).toBe(202);
});

test('an Idempotency-Key makes one job, one manual, one staged object', async () => {
  const key = { 'idempotency-key': `key-${Date.now()}` };
  const url = { source_url: 'https://example.com/manuals/Gr%C3%BCn.pdf' };
  const answers = await Promise.all(Array.from({ length: 20 }, () => upload(url, key)));
  expect(answers.map(({ status }) => status)).toEqual(Array.from({ length: 20 }, () => 202));
  const jobs = (await Promise.all(answers.map((answer) => answer.json()))) as JobView[];
  expect(new Set(jobs.map(({ id }) => id)).size).toBe(1);
  expect(await list()).toMatchObject([{ filename: 'Grün.pdf', status: 'processing' }]);
  const mismatch = await upload({ ...url, filename: 'other.pdf' }, key);
  expect([mismatch.status, ((await mismatch.json()) as Problem).code]).toEqual([422, 'idempotency_mismatch']);
  expect(await list()).toHaveLength(1);

  const bytes = { 'idempotency-key': `bytes-${Date.now()}` };
  const [one, two] = [fresh(), fresh()];
  expect((await upload(one, bytes)).status).toBe(202);
  expect((await upload(two, bytes)).status).toBe(422);
  expect(await staged()).toHaveLength(1);
  expect(await list()).toHaveLength(2);
});

test('a key gives its job again though what it was for is there already, or gone', async () => {
  const key = (name: string) => ({ 'idempotency-key': `again-${name}-${Date.now()}` });
  const answer = async (response: Response): Promise<[number, string]> => {
    const body = (await response.json()) as { id?: string; code?: string };
    return [response.status, body.id ?? body.code ?? 'no job'];
  };
  const { ledger } = gateway.gateway;
  const [body, adding] = [fresh(), key('add')];
  const added = await answer(await upload(body, adding));
  const manualId = (await list())[0]?.manual_id ?? '';
  await ledger.manuals.update(userId, manualId, { status: 'ready', pages: 1 });
  expect((await upload(body)).status).toBe(200);
  expect(await answer(await upload(body, adding))).toEqual(added);
  expect(await answer(await upload({ ...body, filename: 'b.txt' }, adding))).toEqual([422, 'idempotency_mismatch']);

  const [asking, deleting] = [key('ask'), key('delete')];
  const ask = (question: string) => send('POST', '/api/query', { question, manual_ids: [manualId] }, asking);
  const asked = await answer(await ask('Which button?'));
  const remove = (more = {}) => send('DELETE', `/api/manuals/${manualId}`, undefined, more);
  const deleted = await answer(await remove(deleting));
  expect([added[0], asked[0], deleted[0]]).toEqual([202, 202, 202]);
  await ledger.manuals.remove(userId, manualId);
  expect(await answer(await remove(deleting))).toEqual(deleted);
  expect(await answer(await remove())).toEqual([404, 'not_found']);
  expect(await answer(await ask('Which button?'))).toEqual(asked);
  expect(await answer(await ask('Which lamp?'))).toEqual([422, 'idempotency_mismatch']);
  expect(await answer(await upload(body, adding))).toEqual(added);
  expect(await list()).toEqual([]);
});

test('a refused submission leaves no manual and no object', async () => {
  const full = await world.gateway({ queue: { max_per_user: 1 }, redis: { prefix: `${world.redis.prefix}full` } });
  const post = (body: unknown) =>
    fetch(`${full.url}/api/manuals/upload`, {
      method: 'POST',
      headers: { ...headers, 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
  expect((await post(fresh())).status).toBe(202);
  const refused = await post(fresh());
  expect([refused.status, ((await refused.json()) as Problem).code]).toEqual([429, 'too_many_jobs']);
  expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
  expect(await list()).toHaveLength(1);
  expect(await staged()).toHaveLength(1);
});

test('an announced upload: exactly its size and type, once', async () => {
  const text = Buffer.from('Press the button and wait until the light is green. Uploaded before.');
  const announce = { kind: 'manual', content_type: 'text/plain', size: text.length, filename: 'a.txt' };
  const link = (await (await send('POST', '/api/uploads', announce)).json()) as UploadView;
  expect(Date.parse(link.expires_at)).toBeGreaterThan(Date.now());
  const use = { upload_id: link.upload_id, filename: 'a.txt' };
  const early = await upload(use);
  expect([early.status, ((await early.json()) as Problem).code]).toEqual([409, 'upload_missing']);
  expect(await list()).toEqual([]);
  const put = (bytes: Buffer, type = 'text/plain') =>
    fetch(link.url, {
      method: link.method,
      headers: { ...link.headers, 'content-type': type, 'content-length': String(bytes.length) },
      body: new Uint8Array(bytes),
    });
  expect((await put(Buffer.concat([text, text]))).ok).toBe(false);
  expect((await put(text, 'text/html')).ok).toBe(false);
  expect((await put(text)).ok).toBe(true);
  const job = (await (await upload(use)).json()) as JobView;
  expect(await list()).toMatchObject([{ filename: 'a.txt', bytes: text.length, status: 'processing' }]);
  expect(((await (await upload(use)).json()) as JobView).id).toBe(job.id);
  expect(await list()).toHaveLength(1);
});

test('deleting takes a manual out at once; twice is the same job; it cannot be opened any more', async () => {
  await upload(fresh());
  const [manual] = await list();
  const path = `/api/manuals/${manual?.manual_id}`;
  const { ledger, cache } = gateway.gateway;
  await ledger.manuals.update(userId, manual?.manual_id ?? '', { status: 'ready', s3_key: 'manuals/x/y/z.txt' });
  const open = await send('GET', `${path}/content`);
  expect(open.status).toBe(302);
  const location = new URL(open.headers.get('location') ?? '');
  expect(location.searchParams.get('response-content-disposition')).toContain('filename');
  const version = await cache.version(userId);
  const first = await send('DELETE', path);
  expect(first.status).toBe(202);
  expect(await (await send('GET', path)).json()).toMatchObject({ status: 'deleting' });
  expect(await cache.version(userId)).not.toBe(version);
  const job = (await first.json()) as JobView;
  expect(job).toMatchObject({ operation: 'delete', priority: 'high' });
  expect(((await (await send('DELETE', path)).json()) as JobView).id).toBe(job.id);
  expect((await send('GET', `${path}/content`)).status).toBe(404);
  expect((await send('POST', `${path}/reindex`)).status).toBe(409);
});

test('reindex takes up a failed manual again', async () => {
  await upload(fresh());
  const [manual] = await list();
  const id = manual?.manual_id ?? '';
  const { ledger } = gateway.gateway;
  const error = { code: 'indexing_failed' as const, detail: 'The manual could not be indexed.' };
  await ledger.manuals.update(userId, id, { status: 'failed', error });
  expect(await list()).toMatchObject([{ status: 'failed', error }]);
  expect((await send('POST', `/api/manuals/${id}/reindex`)).status).toBe(409);
  await ledger.manuals.update(userId, id, { s3_key: 'manuals/x/y/z.txt' });
  const job = (await (await send('POST', `/api/manuals/${id}/reindex`)).json()) as JobView;
  expect(job.operation).toBe('ingest');
  const [now] = await list();
  expect(now).toMatchObject({ status: 'processing' });
  expect(now?.error).toBeUndefined();
});

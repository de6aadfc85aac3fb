import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { JobView, ManualView, Problem, UploadView } from '@manuel/contracts';
import type { RunningWorker } from '@manuel/queues';
import { startQueryWorker } from '../test-support/query-worker.ts';
import { type TestGateway, type TestWorld, startTestWorld } from '../test-support/start-test-gateway.ts';

let world: TestWorld;
let gateway: TestGateway;
let worker: RunningWorker;

beforeAll(async () => {
  world = await startTestWorld(process.env);
  gateway = await world.gateway();
  worker = await startQueryWorker(gateway.gateway);
});
afterAll(async () => {
  await worker.close(1000);
  await world.close();
});

const none = '01KFA8Y6Z4M3T9V2R7B5C1D0EX';

async function call(email: string, method: string, path: string, body?: unknown): Promise<Response> {
  const headers = { authorization: `Bearer ${await world.token(email)}`, 'content-type': 'application/json' };
  const content = body === undefined ? {} : { body: JSON.stringify(body) };
  return fetch(`${gateway.url}${path}`, { method, headers, redirect: 'manual', ...content });
}
const owner = (method: string, path: string, body?: unknown) => call('demo@example.com', method, path, body);
const other = (method: string, path: string, body?: unknown) => call('other@example.com', method, path, body);

async function shown(response: Response): Promise<unknown> {
  const { request_id: _id, ...problem } = (await response.json()) as Problem;
  return { status: response.status, problem };
}

test('what is another user’s answers the same as what does not exist', async () => {
  const job = (await (await owner('POST', '/api/query', { question: 'Whose is this?' })).json()) as JobView;
  const text = Buffer.from('Press the button, then wait until the light is green.').toString('base64');
  const upload = { filename: 'mine.txt', content_type: 'text/plain', content: text };
  expect((await owner('POST', '/api/manuals/upload', upload)).status).toBe(202);
  const { items } = (await (await owner('GET', '/api/manuals')).json()) as { items: ManualView[] };
  const [manual] = items;
  expect(items).toHaveLength(1);
  const announced = { kind: 'audio', content_type: 'audio/wav', size: 1000 };
  const recording = (await (await owner('POST', '/api/uploads', announced)).json()) as UploadView;
  const file = { kind: 'manual', content_type: 'text/plain', size: 1000 };
  const put = (await (await owner('POST', '/api/uploads', file)).json()) as UploadView;
  const manualId = manual?.manual_id ?? '';

  const pairs: [what: string, mine: () => Promise<Response>, nobodys: () => Promise<Response>][] = [
    ['a job', () => other('GET', `/api/jobs/${job.id}`), () => other('GET', `/api/jobs/query_${none}`)],
    ['a job, for what is no id', () => other('GET', `/api/jobs/${job.id}`), () => other('GET', '/api/jobs/none')],
    ['its events', () => other('GET', job.links.events), () => other('GET', `/api/jobs/query_${none}/events`)],
    ['its cancelling', () => other('DELETE', `/api/jobs/${job.id}`), () => other('DELETE', `/api/jobs/query_${none}`)],
    [
      'a manual, for what is no id',
      () => other('GET', `/api/manuals/${manualId}`),
      () => other('GET', '/api/manuals/none'),
    ],
    ['a manual', () => other('GET', `/api/manuals/${manualId}`), () => other('GET', `/api/manuals/man_${none}`)],
    [
      'its file',
      () => other('GET', `/api/manuals/${manualId}/content`),
      () => other('GET', `/api/manuals/man_${none}/content`),
    ],
    [
      'its deletion',
      () => other('DELETE', `/api/manuals/${manualId}`),
      () => other('DELETE', `/api/manuals/man_${none}`),
    ],
    [
      'its reindexing',
      () => other('POST', `/api/manuals/${manualId}/reindex`),
      () => other('POST', `/api/manuals/man_${none}/reindex`),
    ],
    [
      'a question about it',
      () => other('POST', '/api/query', { question: 'What?', manual_ids: [manualId] }),
      () => other('POST', '/api/query', { question: 'What?', manual_ids: [`man_${none}`] }),
    ],
    [
      'its replacement',
      () => other('POST', '/api/manuals/upload', { ...upload, replaces: manualId }),
      () => other('POST', '/api/manuals/upload', { ...upload, replaces: `man_${none}` }),
    ],
    [
      'an upload',
      () => other('POST', '/api/manuals/upload', { upload_id: put.upload_id, filename: 'a.txt' }),
      () => other('POST', '/api/manuals/upload', { upload_id: `upl_${none}`, filename: 'a.txt' }),
    ],
    [
      'a recording',
      () => other('POST', '/api/voice', { audio_key: recording.key, content_type: 'audio/wav' }),
      () => other('POST', '/api/voice', { audio_key: `audio/x/upl_${none}.wav`, content_type: 'audio/wav' }),
    ],
    [
      'feedback',
      () => other('POST', '/api/feedback', { job_id: job.id, rating: 'up' }),
      () => other('POST', '/api/feedback', { job_id: `query_${none}`, rating: 'up' }),
    ],
  ];
  for (const [what, mine, nobodys] of pairs) {
    const seen = await shown(await mine());
    expect({ what, seen }).toMatchObject({ what, seen: { status: 404, problem: { code: 'not_found' } } });
    expect({ what, seen }).toEqual({ what, seen: await shown(await nobodys()) });
  }

  const lists = await Promise.all(['/api/jobs', '/api/manuals'].map((path) => other('GET', path)));
  for (const list of lists) expect(await list.json()).toEqual({ items: [], next_cursor: null });
  // A cursor is its owner's as well.
  await owner('POST', '/api/query', { question: 'And another?' });
  const page = (await (await owner('GET', '/api/jobs?limit=1')).json()) as { next_cursor: string };
  expect(page.next_cursor).toBeTruthy();
  const stolen = await other('GET', `/api/jobs?limit=1&cursor=${encodeURIComponent(page.next_cursor)}`);
  expect(stolen.status).toBe(400);
  // All is still there for its owner.
  expect((await owner('GET', `/api/manuals/${manualId}`)).status).toBe(200);
  expect((await owner('GET', `/api/jobs/${job.id}`)).status).toBe(200);
});

test('a user id in body, path or header changes nothing', async () => {
  const smuggled = await other('POST', '/api/query', { question: 'What?', user_id: 'demo' });
  expect(smuggled.status).toBe(400);
  const usage = async (headers: Record<string, string>) =>
    (
      await fetch(`${gateway.url}/api/user/quota?user_id=demo`, {
        headers: { authorization: `Bearer ${await world.token('other@example.com')}`, ...headers },
      })
    ).json();
  expect(await usage({ 'x-user-id': 'demo' })).toMatchObject({ daily_remaining: 50 });
});

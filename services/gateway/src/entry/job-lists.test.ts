import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { JobStatus, JobView } from '@manuel/contracts';
import { waitFor } from '@manuel/testing';
import { startQueryWorker } from '../test-support/query-worker.ts';
import { type TestGateway, type TestWorld, startTestWorld } from '../test-support/start-test-gateway.ts';

let world: TestWorld;
let gateway: TestGateway;
let headers: Record<string, string>;

beforeAll(async () => {
  world = await startTestWorld(process.env);
  gateway = await world.gateway({ queue: { max_active_per_user: 2 } });
  headers = { authorization: `Bearer ${await world.token()}`, 'content-type': 'application/json' };
});
afterAll(() => world.close());

const get = (path: string, more: Record<string, string> = {}): Promise<Response> =>
  fetch(`${gateway.url}${path}`, { headers: { ...headers, ...more } });

/** All pages of a list, `limit` jobs each. */
async function pages(query: string, limit: number): Promise<JobView[]> {
  const jobs: JobView[] = [];
  let cursor: string | null = '';
  while (cursor !== null) {
    const from: string = cursor === '' ? '' : `&cursor=${encodeURIComponent(cursor)}`;
    const response = await get(`/api/jobs?limit=${limit}${query}${from}`);
    expect(response.status).toBe(200);
    const page = (await response.json()) as { items: JobView[]; next_cursor: string | null };
    expect(page.items.length).toBeLessThanOrEqual(limit);
    jobs.push(...page.items);
    cursor = page.next_cursor;
  }
  return jobs;
}

test('a list by status holds the jobs that show this status, and no others', async () => {
  const gate = Promise.withResolvers<void>();
  const worker = await startQueryWorker(gateway.gateway, () => gate.promise);
  const ids: string[] = [];
  for (let i = 0; i < 7; i += 1) {
    const body = JSON.stringify({ question: `Which button is number ${i}?` });
    const response = await fetch(`${gateway.url}/api/query`, { method: 'POST', headers, body });
    ids.unshift(((await response.json()) as JobView).id);
  }
  const idsBy = async (status: JobStatus, limit: number) =>
    (await pages(`&status=${status}`, limit)).map((job) => {
      expect(job.status).toBe(status);
      return job.id;
    });
  await waitFor(async () => (await idsBy('active', 100)).length === 2, { what: 'two jobs to run' });
  for (const limit of [1, 3, 100]) {
    const [active, queued] = [await idsBy('active', limit), await idsBy('queued', limit)];
    expect([active.length, queued.length]).toEqual([2, 5]);
    expect([...active, ...queued].toSorted()).toEqual(ids.toSorted());
    expect(queued).toEqual(ids.filter((id) => queued.includes(id)));
  }
  expect(await idsBy('completed', 100)).toEqual([]);
  gate.resolve();
  await waitFor(async () => (await idsBy('completed', 2)).length === 7, { what: 'all to be done' });
  expect([await idsBy('active', 100), await idsBy('queued', 100)]).toEqual([[], []]);
  await worker.close(500);
});

test('what the system asks by itself to fill the cache is no job of the user’s', async () => {
  const [, claims = ''] = (headers['authorization'] ?? '').split('.');
  const { sub } = JSON.parse(Buffer.from(claims, 'base64url').toString('utf8')) as { sub: string };
  const before = (await pages('', 3)).map(({ id }) => id);
  const jobId = await gateway.gateway.admitter.enqueueInternal({
    job: 'query',
    operation: 'query',
    userId: sub,
    payload: { question: 'How do I descale it?', persona: 'default', warm_up: true },
    class: 'low',
    expiresInS: 60,
    requestId: 'warm-up-1',
  });
  expect(await gateway.gateway.ledger.jobs.get(sub, jobId)).toBeDefined();
  expect((await pages('', 3)).map(({ id }) => id)).toEqual(before);
});

test('a cursor in which one character was changed is refused', async () => {
  const { next_cursor } = (await (await get('/api/jobs?limit=2')).json()) as { next_cursor: string };
  for (let at = 0; at < next_cursor.length; at += 1) {
    const wrong = next_cursor.slice(0, at) + (next_cursor[at] === 'A' ? 'B' : 'A') + next_cursor.slice(at + 1);
    const response = await get(`/api/jobs?limit=2&cursor=${wrong}`);
    expect({ wrong, status: response.status }).toEqual({ wrong, status: 400 });
    expect(((await response.json()) as { code: string }).code).toBe('validation_failed');
  }
});

test('a wait on a job that has ended says that it was honoured', async () => {
  const [job] = await pages('', 100);
  const response = await get(job?.links.self ?? '', { prefer: 'wait=5' });
  expect([response.status, response.headers.get('preference-applied')]).toEqual([200, 'wait=5']);
});

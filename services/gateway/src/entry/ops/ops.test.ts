import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { opsHealthSchema } from '@manuel/contracts';
import { type TestGateway, type TestWorld, startTestWorld } from '../../test-support/start-test-gateway.ts';

let world: TestWorld;
let gateway: TestGateway;

beforeAll(async () => {
  world = await startTestWorld(process.env);
  gateway = await world.gateway();
});
afterAll(() => world.close());

const as = async (email: string) => ({ authorization: `Bearer ${await world.token(email)}` });
const get = (path: string, headers: Record<string, string> = {}) =>
  fetch(`${gateway.url}${path}`, { headers, redirect: 'manual' });
const signIn = (
  username: string,
  password = 'Manuel-demo-1',
  headers: Record<string, string> = { origin: gateway.url },
) =>
  fetch(`${gateway.url}/ops/session`, {
    method: 'POST',
    headers,
    body: new URLSearchParams({ username, password }),
    redirect: 'manual',
  });
const cookieOf = (response: Response): string => response.headers.get('set-cookie')?.split(';')[0] ?? '';

test('the board opens for operators and viewers only', async () => {
  expect((await get('/ops/queues')).status).toBe(401);
  expect((await get('/ops/queues', { accept: 'text/html' })).headers.get('location')).toBe('/ops');
  expect((await get('/ops/queues', await as('demo@example.com'))).status).toBe(403);
  const page = await get('/ops/queues', await as('ops@example.com'));
  expect([page.status, await page.text()]).toEqual([200, expect.stringContaining('Manuel queues')]);
  expect((await get('/ops/queues', await as('viewer@example.com'))).status).toBe(200);
});

test('the board shows what a job is, not what a user said', async () => {
  const asked = await fetch(`${gateway.url}/api/query`, {
    method: 'POST',
    headers: { ...(await as('demo@example.com')), 'content-type': 'application/json' },
    body: JSON.stringify({ question: 'A very private question' }),
  });
  const { id } = (await asked.json()) as { id: string };
  const shown = await get(`/ops/queues/api/queues/query/${id}`, await as('viewer@example.com'));
  const text = await shown.text();
  expect(shown.status).toBe(200);
  expect(text).toContain(id);
  expect(text).toContain('(redacted)');
  expect(text).not.toContain('private');
});

test('viewers may look, operators may change, nobody may write into a job', async () => {
  const pause = (headers: Record<string, string>, what = 'pause') =>
    fetch(`${gateway.url}/ops/queues/api/queues/ingest/${what}`, { method: 'PUT', headers });
  expect((await pause(await as('viewer@example.com'))).status).toBe(403);
  expect((await pause(await as('ops@example.com'))).status).toBe(200);
  expect((await gateway.gateway.inspector.states()).find(({ name }) => name === 'ingest')?.paused).toBe(true);
  expect((await pause(await as('ops@example.com'), 'resume')).status).toBe(200);
  const add = await fetch(`${gateway.url}/ops/queues/api/queues/query/add`, {
    method: 'POST',
    headers: { ...(await as('ops@example.com')), 'content-type': 'application/json' },
    body: '{}',
  });
  expect(add.status).toBe(403);
});

test('the sign-in page gives operators a session that only their own pages can use', async () => {
  expect(await (await get('/ops')).text()).toContain('Sign in');
  expect((await signIn('ops@example.com', 'wrong')).status).toBe(401);
  expect((await signIn('demo@example.com')).status).toBe(403);
  expect((await signIn('ops@example.com', 'Manuel-demo-1', { origin: 'https://evil.example' })).status).toBe(403);
  expect(
    (await signIn('ops@example.com', 'Manuel-demo-1', { 'sec-fetch-site': 'cross-site', origin: gateway.url })).status,
  ).toBe(403);

  const signedIn = await signIn('ops@example.com');
  expect([signedIn.status, signedIn.headers.get('location')]).toEqual([303, '/ops']);
  expect(signedIn.headers.get('set-cookie')).toMatch(/Path=\/ops; HttpOnly; SameSite=Strict/);
  const cookie = cookieOf(signedIn);
  expect(await (await get('/ops', { cookie })).text()).toContain('Queues');
  expect((await get('/ops/queues', { cookie })).status).toBe(200);
  const change = (headers: Record<string, string>) =>
    fetch(`${gateway.url}/ops/queues/api/queues/ingest/resume`, { method: 'PUT', headers: { cookie, ...headers } });
  expect((await change({})).status).toBe(403);
  expect((await change({ 'sec-fetch-site': 'same-site' })).status).toBe(403);
  expect((await change({ origin: 'https://evil.example' })).status).toBe(403);
  expect((await change({ 'sec-fetch-site': 'same-origin' })).status).toBe(200);
  // The cookie is for /ops alone: it opens no API.
  expect((await get('/api/ops/health', { cookie })).status).toBe(401);
});

test('operators read the state, set a quota, pause a queue, forget cached answers', async () => {
  const ops = { ...(await as('ops@example.com')), 'content-type': 'application/json' };
  expect((await get('/api/ops/health', await as('demo@example.com'))).status).toBe(403);
  const health = opsHealthSchema.parse(await (await get('/api/ops/health', ops)).json());
  expect(health.queues.map(({ name }) => name)).toEqual(['transcribe', 'query', 'ingest']);
  expect(health.missing).toEqual([]);
  const post = (path: string, body?: unknown, method = 'POST') =>
    fetch(`${gateway.url}${path}`, {
      method,
      headers: ops,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  const quota = await post('/api/ops/users/somebody/quota', { daily_limit: 7 }, 'PUT');
  expect(await quota.json()).toMatchObject({ daily_limit: 7, daily_remaining: 7 });
  expect(await (await post('/api/ops/queues/query/pause')).json()).toEqual({ name: 'query', paused: true });
  expect(await (await post('/api/ops/queues/query/resume')).json()).toEqual({ name: 'query', paused: false });
  expect((await post('/api/ops/queues/nothing/pause')).status).toBe(404);
  expect(await (await post('/api/ops/cache/invalidate', { operation: 'query' })).json()).toEqual({ removed: 0 });
  expect((await post('/api/ops/breakers/nothing:Call/reset')).status).toBe(404);
  expect(await (await get('/api/ops/dead-letters?severity=high', ops)).json()).toEqual({
    items: [],
    next_cursor: null,
  });
});

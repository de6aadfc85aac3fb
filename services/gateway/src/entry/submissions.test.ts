import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { encodeAnswer, answerKey } from '@manuel/cache';
import type { JobView, Problem, QueryResult } from '@manuel/contracts';
import type { RunningWorker } from '@manuel/queues';
import { ManuelError } from '@manuel/contracts';
import { startRedis, waitFor } from '@manuel/testing';
import { Redis } from 'ioredis';
import { startQueryWorker } from '../test-support/query-worker.ts';
import { type TestGateway, type TestWorld, startTestWorld } from '../test-support/start-test-gateway.ts';
import { TestClient } from '../test-support/web-socket-client.ts';

let world: TestWorld;
let gateway: TestGateway;
let worker: RunningWorker;
let userId: string;
let headers: Record<string, string>;

beforeAll(async () => {
  world = await startTestWorld(process.env);
  gateway = await world.gateway();
  worker = await startQueryWorker(gateway.gateway, async (job) => {
    if (job.payload.question.includes('encrypted')) {
      throw new ManuelError('document_encrypted', 'The document is encrypted. Upload it without a password.');
    }
    if (job.payload.question.includes('slow'))
      await new Promise((resolve) => job.signal.addEventListener('abort', resolve));
  });
  headers = { authorization: `Bearer ${await world.token()}`, 'content-type': 'application/json' };
  ({ userId } = await gateway.gateway.tokens.verify(await world.token()));
});
afterAll(async () => {
  await worker.close(500);
  await world.close();
});

const ask = (
  question: string,
  more: Record<string, string> = {},
  fields: Record<string, unknown> = {},
  url = gateway.url,
) =>
  fetch(`${url}/api/query`, {
    method: 'POST',
    headers: { ...headers, ...more },
    body: JSON.stringify({ question, ...fields }),
  });
const used = async (): Promise<number> =>
  ((await (await fetch(`${gateway.url}/api/user/usage`, { headers })).json()) as { daily_used: number }).daily_used;

test('a job that fails within the wait answers its problem with its status, and costs nothing', async () => {
  const before = await used();
  const response = await ask('Is it encrypted?', { prefer: 'wait=10', 'x-request-id': 'req-7' });
  expect(response.status).toBe(422);
  expect(response.headers.get('content-type')).toBe('application/problem+json');
  expect(response.headers.get('preference-applied')).toBe('wait=10');
  expect(await response.json()).toMatchObject({
    status: 422,
    code: 'document_encrypted',
    detail: 'The document is encrypted. Upload it without a password.',
    request_id: 'req-7',
  });
  await waitFor(async () => (await used()) === before, { what: 'the quota to come back' });
});

test('a job that outlasts the wait answers 202 with the job', async () => {
  const started = performance.now();
  const response = await ask('A slow one?', { prefer: 'wait=1' });
  expect(performance.now() - started).toBeGreaterThan(900);
  expect([response.status, response.headers.get('preference-applied')]).toEqual([202, null]);
  const job = (await response.json()) as JobView;
  expect(job.status).toBe('active');
  const cancelled = await fetch(gateway.url + job.links.self, { method: 'DELETE', headers });
  expect([cancelled.status, ((await cancelled.json()) as JobView).status]).toEqual([200, 'cancelled']);
  const again = await fetch(gateway.url + job.links.self, { method: 'DELETE', headers });
  expect([again.status, ((await again.json()) as Problem).code]).toEqual([409, 'conflict']);
});

test('an Idempotency-Key means one job over two gateways, also after it ended', async () => {
  const second = await world.gateway();
  const before = await used();
  const key = { 'idempotency-key': 'one-and-only' };
  const answers = await Promise.all(
    Array.from({ length: 40 }, (_, i) => ask('Once?', key, {}, i % 2 === 0 ? gateway.url : second.url)),
  );
  const jobs = (await Promise.all(answers.map((answer) => answer.json()))) as JobView[];
  expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([202]));
  expect(new Set(jobs.map(({ id }) => id)).size).toBe(1);
  const done = await fetch(gateway.url + (jobs[0]?.links.self ?? ''), { headers: { ...headers, prefer: 'wait=10' } });
  expect(((await done.json()) as JobView).status).toBe('completed');
  const replayed = await ask('Once?', key);
  expect([replayed.status, ((await replayed.json()) as JobView).id]).toEqual([202, jobs[0]?.id]);
  // The order of the fields changes nothing, a field more does.
  const body = '{"persona":"expert","question":"Once?"}';
  const other = await fetch(`${gateway.url}/api/query`, { method: 'POST', headers: { ...headers, ...key }, body });
  expect([other.status, ((await other.json()) as Problem).code]).toEqual([422, 'idempotency_mismatch']);
  await waitFor(async () => (await used()) === before + 1, { what: 'one charge' });
});

test('over quota is 429 with Retry-After to the reset', async () => {
  const poor = await world.gateway({ quota: { daily_limit: 0 }, redis: { prefix: `${world.redis.prefix}poor` } });
  const response = await ask('One more?', {}, {}, poor.url);
  expect([response.status, ((await response.json()) as Problem).code]).toEqual([429, 'quota_exceeded']);
  const untilMidnight = (Date.parse(`${new Date().toISOString().slice(0, 10)}T24:00:00Z`) - Date.now()) / 1000;
  expect(Math.abs(Number(response.headers.get('retry-after')) - untilMidnight)).toBeLessThan(5);
});

test('operators may use the critical class', async () => {
  const ops = { authorization: `Bearer ${await world.token('ops@example.com')}` };
  const response = await ask('Is it urgent?', ops, { priority: 'critical' });
  expect([response.status, ((await response.json()) as JobView).priority]).toEqual([202, 'critical']);
});

test('a cached answer comes at once, free of quota, and can be asked on about', async () => {
  const { cache, ledger, settings } = gateway.gateway;
  const question = 'What does the orange light mean?';
  const version = (await cache.version(userId)) ?? '';
  const model = settings.models.text_model_id;
  const stored = { question, answer: 'Descale it.', citations: [], context_used: true, model, passages: [] };
  await cache.set(answerKey({ userId, question, persona: 'default', model }, version), encodeAnswer(stored));
  const before = await used();
  // Case, blanks and the mark at the end do not matter.
  const response = await ask('  what does the ORANGE light mean');
  expect(response.status).toBe(200);
  const result = (await response.json()) as QueryResult;
  expect(result).toMatchObject({
    answer: 'Descale it.',
    from_cache: true,
    degradation: 'none',
    usage: { daily_used: before },
  });
  expect(await used()).toBe(before);
  // Another persona, another user, a conversation: none of them is the same question.
  expect((await ask(question, {}, { persona: 'expert' })).status).toBe(202);
  const other = { authorization: `Bearer ${await world.token('other@example.com')}` };
  expect((await ask(question, other)).status).toBe(202);

  expect(await ledger.conversations.turns(userId, result.conversation_id)).toEqual([]);
  // Another user who names the conversation takes nothing of it away.
  expect((await ask('And how often?', other, { conversation_id: result.conversation_id })).status).toBe(202);
  expect((await ask('And how often?', {}, { conversation_id: result.conversation_id })).status).toBe(202);
  expect(await ledger.conversations.turns(userId, result.conversation_id)).toMatchObject([
    { question, answer: 'Descale it.' },
  ]);

  const client = new TestClient(`${gateway.url}/ws`, { headers });
  client.send({ type: 'submit', operation: 'query', ref: 'c', body: { question } });
  const { job } = await client.next('accepted');
  expect(job).toMatchObject({ status: 'completed', result: { answer: 'Descale it.', from_cache: true } });
  await client.close();
  await cache.bumpVersion(userId);
  expect((await ask(question)).status).toBe(202);
});

test('a cached answer under an Idempotency-Key is given again, whatever became of the cache', async () => {
  const second = await world.gateway();
  const { cache, settings } = gateway.gateway;
  const question = 'What does the blue light mean?';
  const model = settings.models.text_model_id;
  const stored = { question, answer: 'It waits.', citations: [], context_used: true, model, passages: [] };
  const version = (await cache.version(userId)) ?? '';
  await cache.set(answerKey({ userId, question, persona: 'default', model }, version), encodeAnswer(stored));
  const before = await used();
  const key = { 'idempotency-key': 'blue' };
  const answers = await Promise.all(
    Array.from({ length: 20 }, (_, i) => ask(question, key, {}, i % 2 === 0 ? gateway.url : second.url)),
  );
  expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
  const bodies = await Promise.all(answers.map((answer) => answer.json()));
  const [first] = bodies;
  expect(first).toMatchObject({ answer: 'It waits.', from_cache: true });
  for (const body of bodies) expect(body).toEqual(first);

  await cache.bumpVersion(userId);
  const again = async () => {
    const response = await ask(question, key);
    return [response.status, await response.json()];
  };
  expect(await again()).toEqual([200, first]);
  const redis = new Redis(world.redis.url);
  const entries = await redis.keys(`${world.redis.prefix}:idem:*`);
  expect(await redis.del(...entries)).toBeGreaterThan(0);
  await redis.quit();
  expect(await again()).toEqual([200, first]);
  expect((await ask('Another?', key)).status).toBe(422);
  expect(await used()).toBe(before);
  const { items } = (await (await fetch(`${gateway.url}/api/jobs?limit=100`, { headers })).json()) as {
    items: JobView[];
  };
  expect(items.filter((job) => job.result?.['answer'] === 'It waits.')).toEqual([]);
});

test('an admitted question costs no more than three round trips to Redis and one write', async () => {
  // A Redis of its own: what is counted is this gateway's alone.
  const own = await startRedis();
  const prefix = '{quiet}';
  const client = new Redis(own.url);
  const monitor = await client.monitor();
  const seen: string[][] = [];
  monitor.on('monitor', (_time: string, command: string[], source: string) => {
    if (source !== 'lua' && command.some((part) => part.includes(prefix))) seen.push(command);
  });
  // The rate limit's count is the last that Redis hears of a request; what the monitor tells comes when it comes.
  const counted = async (mark: string) => {
    await waitFor(() => seen.some((command) => command.some((part) => part.includes('address:'))));
    await client.echo(`${prefix} ${mark}`);
    await waitFor(() => seen.some((command) => command[1] === `${prefix} ${mark}`));
  };
  const quiet = await world.gateway({ redis: { url: own.url, prefix } });
  await ask('To warm up?', {}, {}, quiet.url);
  const calls = async (): Promise<number> => {
    const all = Object.values((await world.calls())['dynamodb'] ?? {});
    return all.reduce((sum, count) => sum + count, 0);
  };
  await counted('warm');
  for (const more of [{}, { 'idempotency-key': 'what-it-costs' }]) {
    const before = await calls();
    seen.length = 0;
    expect((await ask('What does it cost?', more, {}, quiet.url)).status).toBe(202);
    await counted(`done ${Object.keys(more).join('')}`);
    expect(await calls()).toBe(before + 1);
    expect(seen.filter(([name]) => name !== 'publish' && name !== 'echo').length).toBeLessThanOrEqual(3);
  }
  monitor.disconnect();
  client.disconnect();
  await quiet.close();
  await own.close();
});

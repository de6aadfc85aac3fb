import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { JobView } from '@manuel/contracts';
import type { RunningWorker } from '@manuel/queues';
import { startQueryWorker } from '../test-support/query-worker.ts';
import { type TestGateway, type TestWorld, startTestWorld } from '../test-support/start-test-gateway.ts';

let world: TestWorld;
let gateway: TestGateway;
let worker: RunningWorker;
let headers: Record<string, string>;

beforeAll(async () => {
  world = await startTestWorld(process.env);
  gateway = await world.gateway();
  worker = await startQueryWorker(gateway.gateway);
  headers = { authorization: `Bearer ${await world.token()}`, 'content-type': 'application/json' };
});
afterAll(async () => {
  await worker.close(1000);
  await world.close();
});

const ask = (question: string, more: Record<string, string> = {}) =>
  fetch(`${gateway.url}/api/query`, {
    method: 'POST',
    headers: { ...headers, ...more },
    body: JSON.stringify({ question }),
  });

test('a question is accepted as a durable job that can be polled to its answer', async () => {
  const response = await ask('How do I descale it?', { 'x-request-id': 'my-request-1' });
  expect(response.status).toBe(202);
  expect(response.headers.get('x-request-id')).toBe('my-request-1');
  const job = (await response.json()) as JobView;
  expect(response.headers.get('location')).toBe(`/api/jobs/${job.id}`);
  expect(Number(response.headers.get('retry-after'))).toBeGreaterThan(0);
  expect(job).toMatchObject({ operation: 'query', priority: 'normal', links: { self: `/api/jobs/${job.id}` } });
  const ended = await fetch(`${gateway.url}/api/jobs/${job.id}`, { headers: { ...headers, prefer: 'wait=10' } });
  expect(await ended.json()).toMatchObject({ status: 'completed', result: { answer: 'Hold the steam button.' } });
});

test('with Prefer: wait the result itself comes back', async () => {
  const response = await ask('And how often?', { prefer: 'wait=10' });
  expect(response.status).toBe(200);
  expect(response.headers.get('preference-applied')).toBe('wait=10');
  expect(await response.json()).toMatchObject({ answer: 'Hold the steam button.', usage: { daily_limit: 50 } });
});

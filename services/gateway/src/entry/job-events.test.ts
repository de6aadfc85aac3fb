import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import type { JobView } from '@manuel/contracts';
import type { RunningWorker } from '@manuel/queues';
import { Redis } from 'ioredis';
import { connect } from 'node:net';
import { silentLogger } from '@manuel/telemetry';
import { waitFor } from '@manuel/testing';
import { EventSourceParserStream } from 'eventsource-parser/stream';
import { startQueryWorker } from '../test-support/query-worker.ts';
import { type TestGateway, type TestWorld, startTestWorld } from '../test-support/start-test-gateway.ts';

let world: TestWorld;
let gateway: TestGateway;
let headers: Record<string, string>;
let worker: RunningWorker | undefined;

beforeAll(async () => {
  world = await startTestWorld(process.env);
  gateway = await world.gateway({ quota: { daily_limit: 1000 } });
  headers = { authorization: `Bearer ${await world.token()}`, 'content-type': 'application/json' };
});
afterEach(async () => {
  await worker?.close(1000);
  worker = undefined;
});
afterAll(() => world.close());

async function ask(): Promise<JobView> {
  const body = JSON.stringify({ question: 'How do I descale it?' });
  const response = await fetch(`${gateway.url}/api/query`, { method: 'POST', headers, body });
  return (await response.json()) as JobView;
}

interface Seen {
  readonly id: string | undefined;
  readonly event: string | undefined;
  readonly data: Record<string, unknown>;
}

const open = (job: JobView, more: Record<string, string> = {}, signal?: AbortSignal) =>
  fetch(`${gateway.url}${job.links.events}`, { headers: { ...headers, ...more }, ...(signal ? { signal } : {}) });

/** Reads to the end of the stream, or to `count` events. */
async function read(response: Response, count = Number.POSITIVE_INFINITY): Promise<Seen[]> {
  const seen: Seen[] = [];
  const stream = response.body!.pipeThrough(new TextDecoderStream()).pipeThrough(new EventSourceParserStream());
  for await (const { id, event, data } of stream) {
    seen.push({ id, event, data: JSON.parse(data) as Record<string, unknown> });
    if (seen.length >= count) break;
  }
  return seen;
}

const tokens = (seen: Seen[]): string =>
  seen
    .filter(({ event }) => event === 'token')
    .map(({ data }) => data['text'])
    .join('');
const lastOf = (seen: Seen[]): Seen | undefined => seen.at(-1);

test('a stream tells all of a job from its beginning and ends after its end', async () => {
  const job = await ask();
  const response = await open(job);
  expect(response.headers.get('content-type')).toMatch(/^text\/event-stream/);
  worker = await startQueryWorker(gateway.gateway);
  const seen = await read(response);
  expect(tokens(seen)).toBe('Hold the steam button.');
  expect(lastOf(seen)).toMatchObject({ event: 'job', data: { id: job.id, status: 'completed' } });
  expect(seen.filter(({ event, data }) => event === 'job' && data['status'] === 'completed')).toHaveLength(1);
  expect(seen.some(({ event }) => event === 'progress')).toBe(true);
  const ids = seen.map(({ id }) => id);
  expect(ids.every((id) => /^\d+-\d+$/.test(id ?? ''))).toBe(true);
});

test('a stream of a job that is over tells it whole, and ends', async () => {
  worker = await startQueryWorker(gateway.gateway);
  const job = await ask();
  await fetch(`${gateway.url}${job.links.self}`, { headers: { ...headers, prefer: 'wait=10' } });
  const seen = await read(await open(job));
  expect(tokens(seen)).toBe('Hold the steam button.');
  expect(lastOf(seen)).toMatchObject({ event: 'job', data: { status: 'completed' } });
});

test('who has seen the end is told nothing again, and not to come back', async () => {
  worker = await startQueryWorker(gateway.gateway);
  const job = await ask();
  const seen = await read(await open(job));
  expect(lastOf(seen)?.data['status']).toBe('completed');
  const back = await open(job, { 'last-event-id': lastOf(seen)?.id ?? '' });
  expect([back.status, await back.text()]).toEqual([204, '']);
  const before = await open(job, { 'last-event-id': seen.at(-2)?.id ?? '' });
  expect(await read(before)).toEqual(seen.slice(-1));
});

test('Last-Event-ID resumes: what is missing comes in order, once', async () => {
  const gate = Promise.withResolvers<void>();
  worker = await startQueryWorker(gateway.gateway, () => gate.promise);
  const job = await ask();
  const away = new AbortController();
  const first = await read(await open(job, {}, away.signal), 3);
  away.abort();
  gate.resolve();
  await fetch(`${gateway.url}${job.links.self}`, { headers: { ...headers, prefer: 'wait=10' } });
  const rest = await read(await open(job, { 'last-event-id': first.at(-1)?.id ?? '' }));
  const ids = [...first, ...rest].map(({ id }) => id);
  expect(new Set(ids).size).toBe(ids.length);
  expect(tokens([...first, ...rest])).toBe('Hold the steam button.');
  expect(lastOf(rest)).toMatchObject({ event: 'job', data: { status: 'completed' } });
});

/** Puts events of 16 KB into the stream. */
async function tell(job: JobView, count: number): Promise<void> {
  const { userId } = await gateway.gateway.tokens.verify(await world.token());
  const redis = new Redis(world.redis.url);
  for (let seq = 0; seq < count; seq += 1) {
    const event = JSON.stringify({ type: 'token', job_id: job.id, seq, text: 'x'.repeat(16_000) });
    await redis.xadd(`${world.redis.prefix}:ev:${userId}`, '*', 'e', event);
  }
  await redis.quit();
}

test('a reader that takes nothing from one ping to the next but one is cut', async () => {
  const warnings: string[] = [];
  const logger = { ...silentLogger(), warn: (message: string) => void warnings.push(message) };
  const impatient = await world.gateway({ events: { ping_interval_ms: 100 } }, { logger });
  const job = await ask();
  await tell(job, 900);
  const { port } = impatient.server;
  const socket = connect(port, '127.0.0.1');
  socket.pause();
  const lines = [`GET ${job.links.events} HTTP/1.1`, 'Host: gateway', `Authorization: ${headers['authorization']}`];
  socket.write(`${lines.join('\r\n')}\r\n\r\n`);
  await waitFor(() => warnings.length > 0, { what: 'the cut' });
  expect(warnings).toEqual(['an event stream that nobody reads was cut']);
  let bytes = 0;
  for await (const chunk of socket) bytes += (chunk as Buffer).length;
  expect(bytes).toBeLessThan(900 * 16_000);
  await impatient.close();
});

test('more than a slow reader may lag comes as fast as it reads', async () => {
  const job = await ask();
  const count = 700;
  await tell(job, count);
  // The headers come with the first event; the rest is read when all that goes ahead of the reader is on its way.
  const response = await open(job);
  const others = await open(job);
  expect((await read(others, count)).map(({ data }) => data['seq'])).toEqual([...Array(count).keys()]);
  expect((await read(response, count)).map(({ data }) => data['seq'])).toEqual([...Array(count).keys()]);
});

test('without its events the job itself is told', async () => {
  worker = await startQueryWorker(gateway.gateway);
  const job = await ask();
  await fetch(`${gateway.url}${job.links.self}`, { headers: { ...headers, prefer: 'wait=10' } });
  const redis = new Redis(world.redis.url);
  for (const key of await redis.keys(`${world.redis.prefix}*`)) {
    if ((await redis.type(key)) === 'stream') await redis.del(key);
  }
  redis.disconnect();
  const seen = await read(await open(job));
  expect(seen).toMatchObject([{ event: 'job', data: { id: job.id, status: 'completed' } }]);
});

test('an id that is none is refused', async () => {
  const job = await ask();
  expect((await open(job, { 'last-event-id': 'tomorrow' })).status).toBe(400);
});

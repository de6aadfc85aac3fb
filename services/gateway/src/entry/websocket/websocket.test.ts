import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { answerKey, encodeAnswer } from '@manuel/cache';
import { ManuelError, type TicketView, newJobId } from '@manuel/contracts';
import type { RunningWorker } from '@manuel/queues';
import { waitFor } from '@manuel/testing';
import { Redis } from 'ioredis';
import { startQueryWorker, testAnswer } from '../../test-support/query-worker.ts';
import { type TestGateway, type TestWorld, startTestWorld } from '../../test-support/start-test-gateway.ts';
import { TestClient } from '../../test-support/web-socket-client.ts';

let world: TestWorld;
let gateway: TestGateway;
let worker: RunningWorker | undefined;
const clients: TestClient[] = [];

beforeAll(async () => {
  world = await startTestWorld(process.env);
  gateway = await world.gateway({ cors: { origins: ['https://app.example'] }, quota: { daily_limit: 1000 } });
});
afterEach(async () => {
  await Promise.all(clients.splice(0).map((client) => client.close()));
  await worker?.close(1000);
  worker = undefined;
});
afterAll(() => world.close());

const bearer = async (email?: string) => ({ authorization: `Bearer ${await world.token(email)}` });

async function connect(path = '/ws', headers?: Record<string, string>, url = gateway.url): Promise<TestClient> {
  const client = new TestClient(`${url}${path}`, { headers: headers ?? (await bearer()) });
  clients.push(client);
  return client;
}

async function ticket(): Promise<TicketView> {
  const response = await fetch(`${gateway.url}/api/ws-ticket`, { method: 'POST', headers: await bearer() });
  expect(response.status).toBe(200);
  return (await response.json()) as TicketView;
}

const submit = (ref: string, question = 'How do I descale it?') => ({
  type: 'submit',
  operation: 'query',
  ref,
  body: { question },
});

describe('who may connect', () => {
  test('a native client by its header', async () => {
    expect((await (await connect()).next('hello')).last_event_id).toMatch(/^\d+-\d+$/);
  });

  test('whose request id is kept', async () => {
    const client = new TestClient(`${gateway.url}/ws`, { headers: { ...(await bearer()), 'x-request-id': 'mine-1' } });
    clients.push(client);
    const [response] = (await once(client.socket, 'upgrade')) as [IncomingMessage];
    expect(response.headers['x-request-id']).toBe('mine-1');
  });

  test('a browser by a ticket, once', async () => {
    const { ticket: secret, expires_at } = await ticket();
    expect(Date.parse(expires_at)).toBeGreaterThan(Date.now());
    await (await connect(`/ws?ticket=${secret}`, { origin: 'https://app.example' })).next('hello');
    const again = await connect(`/ws?ticket=${secret}`, { origin: 'https://app.example' });
    await waitFor(() => again.refused === 401, { what: 'the refusal' });
  });

  test.each([
    ['nobody', '/ws', {}, 401],
    ['a made-up ticket', `/ws?ticket=${'x'.repeat(32)}`, {}, 401],
    ['a wrong token', '/ws', { authorization: 'Bearer a.b.c' }, 401],
    ['another path', '/socket', {}, 404],
  ])('%s may not', async (_who, path, headers, status) => {
    const client = await connect(path, headers);
    expect(await waitFor(() => client.refused, { what: 'the refusal' })).toBe(status);
  });

  test('a page of another origin may not, even with a token', async () => {
    const client = await connect('/ws', { ...(await bearer()), origin: 'https://evil.example' });
    expect(await waitFor(() => client.refused, { what: 'the refusal' })).toBe(403);
  });
});

test('submit is accepted, watched and answered; tokens make the answer', async () => {
  worker = await startQueryWorker(gateway.gateway);
  const client = await connect();
  client.send(submit('r1'));
  const { job } = await client.next('accepted', ({ ref }) => ref === 'r1');
  const ended = await client.next('job', (message) => message.job.id === job.id && message.job.status === 'completed');
  expect(ended.job.result).toMatchObject({ answer: 'Hold the steam button.' });
  const pieces = client.messages.filter((message) => message.type === 'token');
  expect(pieces.map(({ text }) => text).join('')).toBe('Hold the steam button.');
  expect(pieces.map(({ seq }) => seq)).toEqual(pieces.map((_piece, index) => index));
});

test('accepted comes before any event of the job, even one that ends before its gateway knows', async () => {
  worker = await startQueryWorker(gateway.gateway);
  const { admitter, hub } = gateway.gateway;
  const late: typeof admitter = {
    ...admitter,
    async admit(request) {
      const admission = await admitter.admit(request);
      if (admission.kind === 'job') await hub.waitForEnd(request.userId, admission.view.id, 5000);
      return admission;
    },
    close: async () => undefined,
  };
  const slow = await world.gateway({}, { admitter: late });
  const client = await connect('/ws', await bearer(), slow.url);
  client.send(submit('r', 'Is it quick?'));
  await client.next('job', ({ job }) => job.status === 'completed');
  const types = client.messages.map(({ type }) => type);
  expect(types.slice(0, 3)).toEqual(['hello', 'accepted', 'job']);
  expect(new Set(client.events.map(({ id }) => id)).size).toBe(client.events.length);
  await client.close();
  await slow.close();
});

test('an answer that is there at once is told like a job’s end as well', async () => {
  const { userId } = await gateway.gateway.tokens.verify(await world.token());
  const { settings, cache } = gateway.gateway;
  const question = 'What was answered before?';
  const key = { userId, question, persona: 'default' as const, model: settings.models.text_model_id };
  const version = (await cache.version(userId)) ?? '';
  await cache.set(answerKey(key, version), encodeAnswer({ question, passages: [], ...testAnswer }));
  const client = await connect();
  const { last_event_id } = await client.next('hello');
  client.send({ ...submit('r', question), ref: 7 });
  const { job, ref } = await client.next('accepted');
  expect([ref, job.status]).toEqual([7, 'completed']);
  expect(await client.next('job')).toEqual({ type: 'job', id: last_event_id, job });
  const read = await fetch(gateway.url + job.links.self, { headers: await bearer() });
  expect(await read.json()).toEqual(job);
});

test('what is not right is answered with its problem, and the connection lives on', async () => {
  const client = await connect();
  await client.next('hello');
  const problems = () => client.messages.filter((message) => message.type === 'error');
  for (const wrong of [
    'this is no JSON',
    '[]',
    { type: 'dance' },
    { type: 'resume', last_event_id: 'yesterday' },
    Buffer.from([1, 2, 3]),
    { type: 'cancel', job_id: 'query_01KFA8Y6Z4M3T9V2R7B5C1D0EX' },
    { ...submit('r2', ''), ref: 'r2' },
    { ...submit('r3'), body: { question: 'What?', priority: 'critical' } },
  ]) {
    client.send(wrong);
  }
  await waitFor(() => problems().length === 8, { what: 'eight problems' });
  expect(problems().map(({ ref, problem }) => [ref, problem.code])).toEqual([
    [undefined, 'validation_failed'],
    [undefined, 'validation_failed'],
    [undefined, 'validation_failed'],
    [undefined, 'validation_failed'],
    [undefined, 'validation_failed'],
    [undefined, 'not_found'],
    ['r2', 'validation_failed'],
    ['r3', 'forbidden'],
  ]);
  client.send({ type: 'ping' });
  await client.next('pong');
});

test('a message of 1 MB closes that connection with 1009 and no other', async () => {
  const [other, client] = [await connect(), await connect()];
  await Promise.all([client.next('hello'), other.next('hello')]);
  client.send(JSON.stringify(submit('r', 'a'.repeat(1024 * 1024))));
  expect((await waitFor(() => client.closed, { what: 'the close' })).code).toBe(1009);
  other.send({ type: 'ping' });
  await other.next('pong');
});

test('a client that was away gets what it missed on resume: in order, once', async () => {
  worker = await startQueryWorker(gateway.gateway);
  const first = await connect();
  const { last_event_id } = await first.next('hello');
  await first.close();
  const watching = await connect();
  watching.send(submit('away'));
  const { job } = await watching.next('accepted');
  await watching.next('job', (message) => message.job.id === job.id && message.job.status === 'completed');

  const back = await connect();
  await back.next('hello');
  back.send({ type: 'resume', last_event_id });
  await back.next('job', (message) => message.job.id === job.id && message.job.status === 'completed');
  const missed = await eventsAfter(last_event_id);
  expect(back.events.map(({ id }) => id)).toEqual(missed);

  // A resume that comes late goes back, but repeats nothing that was sent live.
  back.send(submit('more'));
  const more = await back.next('accepted');
  await back.next('job', (message) => message.job.id === more.job.id && message.job.status === 'completed');
  back.send({ type: 'resume', last_event_id });
  back.send({ type: 'ping' });
  await back.next('pong');
  const ids = back.events.map(({ id }) => id).filter((id) => !missed.includes(id));
  expect(new Set(ids).size).toBe(ids.length);
});

/** The ids of the user's events as a fresh subscriber gets them. */
async function eventsAfter(id: string): Promise<string[]> {
  const ids: string[] = [];
  const { userId } = await gateway.gateway.tokens.verify(await world.token());
  const subscription = await gateway.gateway.hub.subscribe(userId, (stored) => ids.push(stored.id), id);
  subscription.close();
  return ids;
}

test('a client that was away for longer than events are kept is told how its jobs stand', async () => {
  const short = await world.gateway({ events: { stream_max_length: 5 } });
  const first = await connect('/ws', undefined, short.url);
  const { last_event_id } = await first.next('hello');
  await first.close();
  // Redis trims by the hundred.
  worker = await startQueryWorker(short.gateway, async (job) => {
    for (let percent = 50; percent < 99; percent += 0.2) await job.progress({ step: 'answering', percent });
  });
  const asking = await connect('/ws', undefined, short.url);
  const ids: string[] = [];
  for (const ref of ['a', 'b', 'c']) {
    asking.send(submit(ref, `How do I descale ${ref}?`));
    ids.push((await asking.next('accepted', (message) => message.ref === ref)).job.id);
    await asking.next('job', ({ job }) => job.id === ids.at(-1) && job.status === 'completed');
  }
  const back = await connect('/ws', undefined, short.url);
  back.send({ type: 'resume', last_event_id });
  const standing = () => back.messages.flatMap((message) => (message.type === 'job' ? [message.job] : []));
  await waitFor(() => ids.every((id) => standing().some((job) => job.id === id && job.status === 'completed')));
  // And what is kept is told but once.
  const ends = standing()
    .filter((job) => job.status === 'completed')
    .map((job) => job.id);
  expect(ends.filter((id) => ids.includes(id)).toSorted()).toEqual(ids.toSorted());
});

/** A job that has ended in the ledger alone. */
async function endUntold(userId: string, finished_at: number): Promise<string> {
  const { ledger } = gateway.gateway;
  const job_id = newJobId('query');
  const row = { user_id: userId, job_id, operation: 'query', job: 'query', class: 'normal' } as const;
  const times = { created_at: finished_at - 4700, expires_at: finished_at + 45_000 };
  await ledger.jobs.add({ ...row, ...times, payload: {}, request_id: 'r', usage: 'queries' });
  await ledger.jobs.finish(userId, job_id, { status: 'completed', finished_at, attempts: 1, result: {} });
  return job_id;
}

test('an end that was recorded before the last event a client saw, but told after it, is told on a late resume', async () => {
  const email = 'viewer@example.com';
  const { userId } = await gateway.gateway.tokens.verify(await world.token(email));
  const now = Date.now();
  const id = await endUntold(userId, now - 300);
  const client = await connect('/ws', await bearer(email));
  client.send({ type: 'resume', last_event_id: `${now}-0` });
  expect((await client.next('job')).job).toMatchObject({ id, status: 'completed' });
});

test('a client is told how its jobs stand when events were lost with the gateway’s connection to Redis', async () => {
  const email = 'viewer@example.com';
  const { userId } = await gateway.gateway.tokens.verify(await world.token(email));
  const client = await connect('/ws', await bearer(email));
  await client.next('hello');
  client.send(submit('before'));
  await client.next('accepted');
  worker = await startQueryWorker(gateway.gateway);
  await client.next('job', ({ job }) => job.status === 'completed');
  const id = await endUntold(userId, Date.now());
  const redis = new Redis(world.redis.url);
  await redis.multi().del(`${world.redis.prefix}:ev:${userId}`).call('CLIENT', 'KILL', 'TYPE', 'pubsub').exec();
  await redis.quit();
  expect(await client.next('job', ({ job }) => job.id === id)).toMatchObject({ job: { status: 'completed' } });
  const ends = client.messages.flatMap((message) =>
    message.type === 'job' && message.job.status === 'completed' ? [message.job.id] : [],
  );
  // What was told before is not told again.
  expect(new Set(ends).size).toBe(ends.length);
});

test('more than a slow client may lag comes on resume as fast as it reads, in order, once; new events behind it', async () => {
  const email = 'ops@example.com';
  const { userId } = await gateway.gateway.tokens.verify(await world.token(email));
  const redis = new Redis(world.redis.url);
  const add = async (seq: number): Promise<void> => {
    const event = JSON.stringify({ type: 'token', job_id: 'query_0', seq, text: 'x'.repeat(16_000) });
    const id = await redis.xadd(`${world.redis.prefix}:ev:${userId}`, '*', 'e', event);
    await redis.publish(`${world.redis.prefix}:ch:${userId}`, `${id} ${event}`);
  };
  const first = await connect('/ws', await bearer(email));
  const { last_event_id } = await first.next('hello');
  await first.close();
  for (let seq = 0; seq < 700; seq += 1) await add(seq);

  const back = await connect('/ws', await bearer(email));
  back.send({ type: 'resume', last_event_id });
  await back.next('token');
  // Reads nothing for a while, then again.
  back.socket.pause();
  for (let seq = 700; seq < 900; seq += 1) await add(seq);
  back.socket.resume();
  const seqs = () => back.messages.flatMap((message) => (message.type === 'token' ? [message.seq] : []));
  await waitFor(() => back.closed ?? seqs().length >= 900, { what: 'all that was missed', timeoutMs: 20_000 });
  expect(back.closed).toBeUndefined();
  expect(seqs()).toEqual(Array.from({ length: 900 }, (_, seq) => seq));
  await add(900);
  await waitFor(() => seqs().at(-1) === 900, { what: 'a live event' });
  await redis.quit();
});

test('a resume that cannot be served is told so, and the connection closed: it would hear of nothing any more', async () => {
  const { hub } = gateway.gateway;
  const away = new ManuelError('unavailable', 'Not now.');
  let there = true;
  const subscribe: typeof hub.subscribe = (...args) => (there ? hub.subscribe(...args) : Promise.reject(away));
  const own = await world.gateway({}, { hub: { ...hub, subscribe, close: async () => undefined } });
  const client = await connect('/ws', undefined, own.url);
  const { last_event_id } = await client.next('hello');
  client.send({ type: 'ping' });
  await client.next('pong');
  there = false;
  client.send({ type: 'resume', last_event_id });
  expect((await client.next('error')).problem.code).toBe('unavailable');
  expect((await waitFor(() => client.closed, { what: 'the close' })).code).toBe(1013);
  await own.close();
});

test('cancel ends the job for its owner, and nobody else', async () => {
  const [mine, other] = [await connect(), await connect('/ws', await bearer('other@example.com'))];
  mine.send(submit('c'));
  const { job } = await mine.next('accepted');
  other.send({ type: 'cancel', job_id: job.id });
  expect((await other.next('error')).problem.code).toBe('not_found');
  mine.send({ type: 'cancel', job_id: job.id });
  await mine.next('job', (message) => message.job.id === job.id && message.job.status === 'cancelled');
  expect(other.events).toEqual([]);
  mine.send({ type: 'cancel', job_id: job.id, ref: 'again' });
  expect(await mine.next('error')).toMatchObject({ ref: 'again', problem: { code: 'conflict', status: 409 } });
});

test('an expired token closes with 4001', async () => {
  const short = await world.gateway(
    {},
    {
      tokens: {
        verify: async () => ({ userId: 'user-1', groups: [], expiresAtMs: Date.now() + 300 }),
        known: () => undefined,
        ready: async () => undefined,
      },
    },
  );
  const client = await connect('/ws', await bearer(), short.url);
  await client.next('hello');
  expect((await waitFor(() => client.closed, { what: 'the close' })).code).toBe(4001);
  await short.close();
});

test('a client that is too slow is cut with 4008, not buffered; it hears so when it reads on', async () => {
  const small = await world.gateway({ events: { max_buffered_bytes: 10_000 } });
  const email = 'ops@example.com';
  const { userId } = await gateway.gateway.tokens.verify(await world.token(email));
  const client = await connect('/ws', await bearer(email), small.url);
  await client.next('hello');
  client.send({ type: 'ping' });
  await client.next('pong');
  client.socket.pause();
  const redis = new Redis(world.redis.url);
  const count = 900;
  for (let seq = 0; seq < count; seq += 1) {
    const event = JSON.stringify({ type: 'token', job_id: 'query_0', seq, text: 'x'.repeat(16_000) });
    await redis.publish(`${world.redis.prefix}:ch:${userId}`, `${Date.now()}-${seq} ${event}`);
  }
  await redis.quit();
  // Longer than others have to answer a close.
  const since = Date.now();
  await waitFor(() => Date.now() - since > 1500);
  client.socket.resume();
  expect(await waitFor(() => client.closed, { what: 'the close' })).toEqual({ code: 4008, reason: 'too slow' });
  const tokens = client.messages.filter((message) => message.type === 'token');
  expect(tokens.length).toBeLessThan(count);
  expect(tokens.map(({ seq }) => seq)).toEqual([...tokens.keys()]);
  await small.close();
});

test('a stopping gateway closes its sockets with 1001', async () => {
  const stopping = await world.gateway();
  const client = await connect('/ws', await bearer(), stopping.url);
  await client.next('hello');
  await stopping.close();
  expect((await waitFor(() => client.closed, { what: 'the close' })).code).toBe(1001);
});

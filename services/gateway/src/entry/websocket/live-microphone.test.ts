import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { Redis } from 'ioredis';
import { type Ref, jobIdSchema, newManualId, wantedEntry, wantedSpeechModels } from '@manuel/contracts';
import type { SettingsOverrides } from '@manuel/settings';
import { type SpeechServer, startSpeechServer, waitFor } from '@manuel/testing';
import { startQueryWorker } from '../../test-support/query-worker.ts';
import { type TestGateway, type TestWorld, startTestWorld } from '../../test-support/start-test-gateway.ts';
import { TestClient } from '../../test-support/web-socket-client.ts';

const rate = 16_000;
/** So much sound of nothing in particular: what it says is the speech server's to tell. */
const sound = (seconds: number): Buffer => Buffer.alloc(seconds * rate * 2);
const frame = sound(0.1);
const start = { type: 'audio_start', content_type: 'audio/pcm', sample_rate: rate };
const end = { type: 'audio_end' };

let speech: SpeechServer;
let world: TestWorld;
let gateway: TestGateway;
const clients: TestClient[] = [];
const gateways: TestGateway[] = [];

beforeAll(async () => {
  speech = await startSpeechServer();
  world = await startTestWorld(process.env, { transcribe: { speechUrl: speech.url, partialEveryS: 0.25 } });
  gateway = await world.gateway({ quota: { daily_limit: 1000 }, breaker: { threshold: 1000 } });
});
beforeEach(() => {
  speech.text = 'how do I descale it';
});
afterEach(async () => {
  await fetch(`${world.aws.endpoint}/_chaos`, { method: 'DELETE' });
  await Promise.all(clients.splice(0).map((client) => client.close()));
  await Promise.all(gateways.splice(0).map((one) => one.close()));
});
afterAll(async () => {
  await world.close();
  await speech.close();
});

async function connect(to = gateway, email?: string): Promise<TestClient> {
  const headers = { authorization: `Bearer ${await world.token(email)}` };
  const client = new TestClient(`${to.url}/ws`, { headers });
  clients.push(client);
  await client.next('hello');
  return client;
}

async function another(overrides: SettingsOverrides): Promise<TestGateway> {
  const made = await world.gateway({ quota: { daily_limit: 1000 }, breaker: { threshold: 1000 }, ...overrides });
  gateways.push(made);
  return made;
}

const errors = (client: TestClient) => client.messages.filter((message) => message.type === 'error');
const problem = async (client: TestClient, count = 1): Promise<{ code: string; detail: string; ref?: Ref }> => {
  await waitFor(() => errors(client).length >= count, { what: `problem ${count}`, timeoutMs: 10_000 });
  const found = errors(client).at(-1);
  if (!found) throw new Error('no problem');
  return { ...found.problem, ...(found.ref === undefined ? {} : { ref: found.ref }) };
};
/** Streams to a client’s microphone until something comes back that stops it. */
async function speakUntil(client: TestClient, over: () => boolean): Promise<void> {
  while (!over()) {
    client.send(frame);
    await delay(10);
  }
}
const ask = (client: TestClient, change: object = {}): void => {
  for (const message of [{ ...start, ...change }, sound(1), end]) client.send(message);
};
/** How many microphones a gateway has open, which only its metrics ask for. */
const placesOf = (of: TestGateway) => of.gateway.livePlaces as typeof of.gateway.livePlaces & { taken: number };
const streams = async (): Promise<number> => (await world.calls())['transcribe']?.['StartStreamTranscription'] ?? 0;
const userIdOf = async (email?: string): Promise<string> =>
  (await gateway.gateway.tokens.verify(await world.token(email))).userId;
const used = async (): Promise<number> => (await gateway.gateway.admitter.usage(await userIdOf())).daily_used;
const jobsOf = async (): Promise<number> => (await gateway.gateway.ledger.jobs.openOf(await userIdOf())).length;

test('words come back while they are spoken, then a voice job, watched and answered as any other', async () => {
  const worker = await startQueryWorker(gateway.gateway);
  const client = await connect();
  const before = await used();
  client.send({ ...start, ref: 'mic-1', persona: 'expert', language_code: 'en-US', encoder: 'opus-to-pcm 1.2' });
  await speakUntil(client, () => client.messages.some(({ type }) => type === 'partial'));
  expect(client.messages.find(({ type }) => type === 'partial')).toEqual({
    type: 'partial',
    ref: 'mic-1',
    text: 'how do I descale it',
  });
  expect(client.messages.some(({ type }) => type === 'accepted')).toBe(false);
  client.send(end);
  const { job, ref } = await client.next('accepted');
  expect(ref).toBe('mic-1');
  expect(jobIdSchema.parse(job.id)).toMatch(/^voice_/);
  expect(job).toMatchObject({
    operation: 'voice',
    status: 'queued',
    progress: { step: 'queued', transcription: 'how do I descale it' },
  });
  const ended = await client.next('job', (event) => event.job.id === job.id && event.job.status === 'completed');
  expect(ended.job.result).toMatchObject({ answer: 'Hold the steam button.' });
  const row = await gateway.gateway.ledger.jobs.get(await userIdOf(), job.id);
  expect(row).toMatchObject({
    operation: 'voice',
    job: 'query',
    usage: 'queries',
    payload: { question: 'how do I descale it', transcription: 'how do I descale it', persona: 'expert' },
  });
  expect(await used()).toBe(before + 1);
  expect(errors(client)).toEqual([]);
  await worker.close(1000);
});

test('the same connection asks again; nothing is kept of the sound', async () => {
  const client = await connect();
  ask(client);
  await client.next('accepted');
  speech.text = 'and how often';
  ask(client, { content_type: 'audio/L16; rate=16000; channels=1', ref: 'second' });
  const { job } = await client.next('accepted', ({ ref }) => ref === 'second');
  expect(job.progress.transcription).toBe('and how often');
  const { audio_bucket, audio_prefix } = gateway.gateway.settings.storage;
  expect(await Array.fromAsync(gateway.gateway.s3.listObjects(audio_bucket, `${audio_prefix}/`))).toEqual([]);
});

test('a model of the speaker’s manuals that is not there is asked for, and done without', async () => {
  const userId = await userIdOf();
  const manual_id = newManualId();
  const manual = { user_id: userId, manual_id, filename: 'manual.txt', content_type: 'text/plain', bytes: 1, pages: 1 };
  const { manuals } = gateway.gateway.ledger;
  await manuals.create({
    ...manual,
    status: 'ready',
    created_at: 1,
    updated_at: 1,
    s3_key: 'm',
    upload_method: 'body',
  });
  const before = await streams();
  const client = await connect();
  ask(client);
  await client.next('accepted');
  expect((await streams()) - before).toBe(2);
  const redis = new Redis(world.redis.url);
  expect(await redis.spop(wantedSpeechModels(world.redis.prefix))).toBe(wantedEntry({ userId, language: 'en-US' }));
  await redis.quit();
  await manuals.remove(userId, manual_id);
});

test('silence is no speech: no job, no charge', async () => {
  speech.text = '';
  const [client, before, open] = [await connect(), await used(), await jobsOf()];
  ask(client, { ref: 'hush' });
  expect(await problem(client)).toMatchObject({ code: 'no_speech', ref: 'hush' });
  client.send(start);
  client.send(end);
  expect(await problem(client, 2)).toMatchObject({ code: 'no_speech' });
  expect([await used(), await jobsOf()]).toEqual([before, open]);
});

describe('what is not right is answered once, and the connection lives on', () => {
  test.each<[string, object[], string]>([
    ['an end without a start', [end], 'validation_failed'],
    ['sound without a start', [frame, frame, frame], 'validation_failed'],
    [
      'a type that is no PCM',
      [{ ...start, content_type: 'audio/webm;codecs=opus' }, frame, end],
      'unsupported_media_type',
    ],
    ['two channels', [{ ...start, content_type: 'audio/l16;channels=2' }, frame, end], 'unsupported_media_type'],
    ['another rate in the type', [{ ...start, content_type: 'audio/l16;rate=8000' }, frame, end], 'validation_failed'],
    ['too few samples a second', [{ ...start, sample_rate: 4000 }, frame, frame, end], 'validation_failed'],
    ['no type', [{ type: 'audio_start', sample_rate: rate }, frame, end], 'validation_failed'],
    ['half a sample', [start, Buffer.alloc(321), frame, end], 'validation_failed'],
    ['a header of other sound', [start, wavHeader(44_100), frame, end], 'unsupported_media_type'],
    ['a language of nobody', [{ ...start, language_code: 'xx-XX' }, frame, end], 'validation_failed'],
    ['the priority of operators', [{ ...start, priority: 'critical' }, frame, end], 'forbidden'],
    [
      'a manual that is not there',
      [{ ...start, manual_ids: ['man_01KFA8Y6Z4M3T9V2R7B5C1D0EX'] }, frame, end],
      'not_found',
    ],
  ])('%s', async (_what, messages, code) => {
    const client = await connect();
    for (const message of messages) client.send(message);
    expect((await problem(client)).code).toBe(code);
    ask(client);
    await client.next('accepted');
    expect(errors(client)).toHaveLength(1);
  });

  test('a second start is refused, the first goes on', async () => {
    const client = await connect();
    client.send({ ...start, ref: 'first' });
    client.send(frame);
    client.send({ ...start, ref: 'second' });
    expect(await problem(client)).toMatchObject({ code: 'conflict', ref: 'second' });
    client.send(frame);
    client.send(end);
    expect((await client.next('accepted')).ref).toBe('first');
  });

  test('a WAV header before the samples is taken off', async () => {
    const client = await connect();
    for (const message of [
      { ...start, content_type: 'audio/x-raw,format=S16LE,rate=16000' },
      wavHeader(rate),
      sound(1),
      end,
    ])
      client.send(message);
    await client.next('accepted');
    expect(errors(client)).toEqual([]);
  });
});

/** The header of a mono WAV file of 16 bits. */
function wavHeader(samplesPerS: number): Buffer {
  const header = Buffer.alloc(44);
  header.write('RIFF\0\0\0\0WAVEfmt ', 0, 'latin1');
  header.writeUInt32LE(16, 16);
  header.writeUInt16LE(1, 20);
  header.writeUInt16LE(1, 22);
  header.writeUInt32LE(samplesPerS, 24);
  header.writeUInt32LE(samplesPerS * 2, 28);
  header.writeUInt16LE(2, 32);
  header.writeUInt16LE(16, 34);
  header.write('data', 36);
  return header;
}

describe('limits end the recording in words; what is still on its way is dropped', () => {
  const limited = (transcribe: NonNullable<SettingsOverrides['transcribe']>) => another({ transcribe });
  const endedBy = async (client: TestClient, code: string, words: RegExp): Promise<void> => {
    expect(await problem(client)).toMatchObject({ code, detail: expect.stringMatching(words) });
    client.send(frame);
    client.send(end);
    ask(client, { ref: 'again' });
    await client.next('accepted', ({ ref }) => ref === 'again');
    expect(errors(client)).toHaveLength(1);
  };

  test('by the length of the sound, however fast it comes', async () => {
    const client = await connect(await limited({ max_duration_s: 2 }));
    const before = await used();
    client.send({ ...start, sample_rate: 8000 });
    client.send(sound(1));
    client.send(frame);
    await endedBy(client, 'audio_too_long', /2 seconds/);
    expect(await used()).toBe(before + 1);
  });

  test('by the time since its start', async () => {
    const client = await connect(await limited({ live_max_session_s: 1 }));
    client.send(start);
    await speakUntil(client, () => errors(client).length > 0);
    await endedBy(client, 'audio_too_long', /open for 1 seconds/);
  });

  test('by silence on the line', async () => {
    const client = await connect(await limited({ live_idle_ms: 150 }));
    client.send(start);
    client.send(frame);
    await endedBy(client, 'timed_out', /audio_end/);
    // The client's silence is no failure of Transcribe's.
    const breakers = await gateway.gateway.resilience.breakers();
    expect(breakers.find(({ name }) => name.endsWith('StartStreamTranscription'))?.consecutive_failures).toBe(0);
  });

  test('by what waits for Transcribe', async () => {
    const client = await connect(await limited({ live_max_buffered_bytes: 40_000 }));
    client.send(start);
    client.send(sound(1.5));
    await endedBy(client, 'rate_limited', /faster/);
  });

  test('a recording that is sent at once is held back, not cut', async () => {
    const client = await connect(await limited({ live_max_buffered_bytes: 400_000 }));
    client.send(start);
    for (let i = 0; i < 50; i += 1) client.send(sound(1));
    client.send(end);
    await client.next('accepted');
    expect(errors(client)).toEqual([]);
  });

  test('by how many microphones a user and a gateway have open', async () => {
    const small = await limited({ live_max_per_user: 1, live_max_per_gateway: 2 });
    const mine = [await connect(small), await connect(small)] as const;
    mine[0].send(start);
    mine[0].send(sound(0.5));
    await mine[0].next('partial');
    mine[1].send(start);
    expect(await problem(mine[1])).toMatchObject({
      code: 'rate_limited',
      detail: expect.stringMatching(/open already/),
    });
    const others = [await connect(small, 'other@example.com'), await connect(small, 'ops@example.com')] as const;
    others[0].send(start);
    others[0].send(sound(0.5));
    await others[0].next('partial');
    others[1].send(start);
    expect(await problem(others[1])).toMatchObject({ code: 'unavailable' });
    mine[0].send(end);
    await mine[0].next('accepted');
    ask(mine[1], { ref: 'now' });
    await mine[1].next('accepted', ({ ref }) => ref === 'now');
  });
});

test('who may not ask is refused before Transcribe is asked', async () => {
  const poor = await another({ quota: { daily_limit: 0 } });
  const client = await connect(poor, 'viewer@example.com');
  const before = await streams();
  client.send({ ...start, ref: 'r' });
  await speakUntil(client, () => errors(client).length > 0);
  expect(await problem(client)).toMatchObject({ code: 'quota_exceeded', ref: 'r' });
  const full = await another({ queue: { max_size: 1 } });
  const { admitter } = full.gateway;
  const query = { job: 'query', operation: 'query', userId: await userIdOf('viewer@example.com') } as const;
  await admitter.enqueueInternal({
    ...query,
    class: 'low',
    expiresInS: 60,
    requestId: 'r',
    payload: { question: 'What waits?', persona: 'default' },
  });
  const waiting = await connect(full, 'viewer@example.com');
  waiting.send(start);
  expect(await problem(waiting)).toMatchObject({ code: 'queue_full' });
  expect(await streams()).toBe(before);
});

describe('when Transcribe fails the question is not charged and can be said again', () => {
  const fault = (fields: object): Promise<Response> =>
    fetch(`${world.aws.endpoint}/_chaos`, {
      method: 'POST',
      body: JSON.stringify({ service: 'transcribe', ...fields }),
    });

  test.each(['throttle', 'error', 'reset'])('%s in the middle', async (kind) => {
    const [client, before] = [await connect(), await used()];
    await fault({ fault: kind, after_events: 1, count: 1 });
    client.send({ ...start, ref: 'broken' });
    await speakUntil(client, () => errors(client).length > 0);
    expect(await problem(client)).toMatchObject({ code: 'unavailable', retryable: true, ref: 'broken' });
    expect((await problem(client)).detail).not.toMatch(/limit|internal|ECONN|http2/i);
    expect(await used()).toBe(before);
    client.send(end);
    ask(client, { ref: 'again' });
    await client.next('accepted', ({ ref }) => ref === 'again');
    expect(errors(client)).toHaveLength(1);
  });

  test('silence, before and after the question', async () => {
    const impatient = await another({ transcribe: { live_start_timeout_ms: 300, live_finish_timeout_ms: 300 } });
    const client = await connect(impatient);
    await fault({ fault: 'timeout', count: 1 });
    ask(client, { ref: 'deaf' });
    expect(await problem(client)).toMatchObject({ code: 'timed_out', ref: 'deaf' });
    await fault({ fault: 'timeout', after_events: 0, count: 1 });
    ask(client, { ref: 'mute' });
    expect(await problem(client, 2)).toMatchObject({ code: 'timed_out', ref: 'mute' });
    ask(client, { ref: 'well' });
    await client.next('accepted', ({ ref }) => ref === 'well');
  });

  test('a stream that is refused once is tried again with all that was said', async () => {
    const client = await connect(await another({ retry: { transcribe: { base_delay_ms: 20 } } }));
    await fault({ fault: 'throttle', count: 1 });
    ask(client);
    await client.next('accepted');
    expect(errors(client)).toEqual([]);
  });
});

test('a client that leaves while it speaks leaves nothing; one that has said all is asked for', async () => {
  const livePlaces = placesOf(gateway);
  const [gone, before] = [await connect(), await jobsOf()];
  gone.send(start);
  gone.send(sound(0.5));
  await gone.next('partial');
  expect(livePlaces.taken).toBe(1);
  await gone.close();
  await waitFor(() => livePlaces.taken === 0, { what: 'the end of the stream' });
  expect(await jobsOf()).toBe(before);

  const hasty = await connect();
  const release = speech.hold();
  hasty.send(start);
  hasty.send(sound(0.2));
  hasty.send(end);
  await waitFor(() => livePlaces.taken === 1, { what: 'the stream' });
  hasty.send({ type: 'ping' });
  await hasty.next('pong');
  await hasty.close();
  release();
  await waitFor(async () => (await jobsOf()) === before + 1, { what: 'the job' });
  expect(livePlaces.taken).toBe(0);
});

test('a token that expires ends the recording with its connection', async () => {
  const verify = async () => ({ userId: 'user-1', groups: [], expiresAtMs: Date.now() + 500 });
  const short = await world.gateway({}, { tokens: { verify, known: () => undefined, ready: async () => undefined } });
  gateways.push(short);
  const client = await connect(short);
  client.send(start);
  await speakUntil(client, () => client.closed !== undefined);
  expect(client.closed?.code).toBe(4001);
  await waitFor(() => placesOf(short).taken === 0, { what: 'the end of the stream' });
});

test('a gateway that stops refuses what is being said and accepts what was said', async () => {
  const stopping = await another({});
  const [speaking, waiting] = [await connect(stopping), await connect(stopping)];
  speaking.send({ ...start, ref: 'speaking' });
  speaking.send(sound(0.5));
  await speaking.next('partial');
  const heard = speech.heard;
  const release = speech.hold();
  waiting.send({ ...start, ref: 'waiting' });
  waiting.send(sound(0.2));
  waiting.send(end);
  await waitFor(() => speech.heard > heard, { what: 'the last words' });
  const closing = stopping.close();
  expect(await problem(speaking)).toMatchObject({ code: 'unavailable', ref: 'speaking' });
  release();
  expect((await waiting.next('accepted')).ref).toBe('waiting');
  await closing;
  for (const client of [speaking, waiting]) {
    expect((await waitFor(() => client.closed, { what: 'the close' })).code).toBe(1001);
  }
});

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { ManuelError } from '@manuel/contracts';
import { createResilience } from '@manuel/resilience';
import { settingsWith } from '@manuel/settings';
import { createMetrics, silentLogger } from '@manuel/telemetry';
import { type SpeechServer, startSpeechServer } from '@manuel/testing';
import { type AwsLocal, startAwsLocal } from '../../../dev/aws-local/src/start.ts';
import { type LiveSpeech, type TranscribeStreaming, createTranscribeStreaming } from './transcribe-streaming.ts';

/** Two seconds of nothing in particular: what it says is the speech server's to tell. */
const sound = Buffer.alloc(64_000);
const settings = settingsWith({
  retry: { transcribe: { base_delay_ms: 20 } },
  breaker: { threshold: 100 },
  transcribe: { live_start_timeout_ms: 800, live_finish_timeout_ms: 800 },
});
let dir: string;
let aws: AwsLocal;
let server: SpeechServer;
let speech: TranscribeStreaming;
const resilience = createResilience({ settings, logger: silentLogger(), metrics: createMetrics('test') });
const never = new AbortController().signal;

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'transcribe-streaming-'));
  server = await startSpeechServer();
  aws = await startAwsLocal({ dir, closeGraceMs: 50, transcribe: { speechUrl: server.url, partialEveryS: 0.3 } });
  Object.assign(process.env, {
    AWS_ENDPOINT_URL: aws.endpoint,
    AWS_ACCESS_KEY_ID: 'local',
    AWS_SECRET_ACCESS_KEY: 'local',
  });
  speech = createTranscribeStreaming({ settings, resilience });
});
afterAll(async () => {
  speech.close();
  await resilience.close();
  await aws.close();
  await server.close();
  await rm(dir, { recursive: true, force: true });
});
beforeEach(async () => {
  await fetch(`${aws.endpoint}/_chaos`, { method: 'DELETE' });
  await fetch(`${aws.endpoint}/_calls`, { method: 'DELETE' });
});

const fault = (fields: object): Promise<Response> =>
  fetch(`${aws.endpoint}/_chaos`, { method: 'POST', body: JSON.stringify({ service: 'transcribe', ...fields }) });
const calls = async (): Promise<number | undefined> => {
  const counted = (await (await fetch(`${aws.endpoint}/_calls`)).json()) as Record<string, Record<string, number>>;
  return counted['transcribe']?.['StartStreamTranscription'];
};

async function* pieces(bytes = 5000): AsyncGenerator<Uint8Array> {
  for (let from = 0; from < sound.length; from += bytes) yield sound.subarray(from, from + bytes);
}
/** Speech that does not end before the signal is aborted. */
async function* goingOn(until: AbortSignal): AsyncGenerator<Uint8Array> {
  yield* pieces();
  while (!until.aborted) {
    yield Buffer.alloc(640);
    await delay(20);
  }
}
const input = (change: Partial<LiveSpeech> = {}): LiveSpeech => ({
  sampleRate: 16_000,
  languages: ['en-US'],
  audio: pieces(),
  onPartial: () => undefined,
  ...change,
});
const failure = (call: Promise<unknown>): Promise<ManuelError> =>
  call.then(
    () => Promise.reject(new Error('it was to fail')),
    (error: ManuelError) => error,
  );

test('speech becomes text; what was heard so far is told on the way, whatever the pieces it came in', async () => {
  const partials: string[] = [];
  const onPartial = (text: string): void => void partials.push(text);
  const heard = await speech.transcribe(input({ audio: pieces(60_000), onPartial }), never);
  expect(heard.text).toBe('how do I descale it');
  expect(partials.at(-1)).toBe(heard.text);
  expect(await calls()).toBe(1);
});

test('of several languages the one that was heard is named', async () => {
  const heard = await speech.transcribe(input({ languages: ['en-US', 'en-GB', 'de-DE'] }), never);
  expect(heard).toEqual({ text: 'how do I descale it', languageCode: 'en-US' });
});

test('a stream that is not taken is tried again with every word; so is one whose model is gone', async () => {
  await fault({ fault: 'throttle', count: 1 });
  await fault({ fault: 'reset', count: 1 });
  expect((await speech.transcribe(input(), never)).text).toBe('how do I descale it');
  expect(await calls()).toBe(3);
  let missing = 0;
  const onModelMissing = (): void => void (missing += 1);
  const without = await speech.transcribe(input({ model: 'manuel.nobody.en-US', onModelMissing }), never);
  expect([without.text, missing]).toEqual(['how do I descale it', 1]);
});

test('what breaks off later is not tried again, and is no silence', async () => {
  for (const kind of ['error', 'throttle', 'reset']) {
    await fault({ fault: kind, after_events: 0, count: 1 });
    const error = await failure(speech.transcribe(input(), never));
    expect(error).toBeInstanceOf(ManuelError);
    expect(error).toMatchObject({ code: 'unavailable', retryable: true, detail: expect.stringMatching(/broke off/) });
  }
  expect(await calls()).toBe(3);
});

test('an upstream that says nothing is given up in time, before and after the speech', async () => {
  await fault({ fault: 'timeout', count: 1 });
  const deaf = await failure(speech.transcribe(input({ audio: goingOn(AbortSignal.timeout(5000)) }), never));
  expect(deaf).toMatchObject({ code: 'timed_out', retryable: true });
  await fault({ fault: 'timeout', after_events: 0, count: 1 });
  expect(await failure(speech.transcribe(input(), never))).toMatchObject({ code: 'timed_out', retryable: true });
  expect(await calls()).toBe(2);
});

test('the caller’s own reason is what an aborted call fails with', async () => {
  const stop = new AbortController();
  const onPartial = (): void => stop.abort(new ManuelError('audio_too_long', 'Long enough.'));
  const call = speech.transcribe(input({ audio: goingOn(stop.signal), onPartial }), stop.signal);
  expect(await failure(call)).toMatchObject({ code: 'audio_too_long' });
});

test('what Transcribe cannot do is told as something the speaker can change', async () => {
  await server.close();
  const error = await failure(speech.transcribe(input(), never));
  expect(error).toMatchObject({ code: 'transcription_failed', retryable: false });
  expect(error.detail).toMatch(/SPEECH_URL/);
  const modelled = await failure(speech.transcribe(input({ model: 'manuel.nobody.en-US' }), never));
  expect(modelled.detail).toBe(error.detail);
});

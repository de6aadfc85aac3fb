import { setTimeout as delay } from 'node:timers/promises';
import { readFile } from 'node:fs/promises';
import {
  StartStreamTranscriptionCommand,
  type StartStreamTranscriptionCommandInput,
  TranscribeStreamingClient,
} from '@aws-sdk/client-transcribe-streaming';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { serveService, type ServedService } from '../model/testing/serve-service.ts';
import { createTranscribe } from './transcribe.ts';

const wav = await readFile(new URL('../../fixtures/where-is-the-power-button.wav', import.meta.url));
const speech = wav.subarray(44);
/** The SDK warns on the console of every failed stream. */
const quiet = { trace() {}, debug() {}, info() {}, warn() {}, error() {} };
let service: ServedService;
let client: TranscribeStreamingClient;

beforeAll(async () => {
  service = await serveService((base) => createTranscribe({ ...base, partialEveryS: 0.5, streamIdleMs: 400 }));
  client = new TranscribeStreamingClient({ ...service.client, logger: quiet });
});
afterAll(async () => {
  client.destroy();
  await service.close();
});

interface Heard {
  readonly partials: string[];
  readonly finals: string[];
}

type Sound = AsyncIterable<Buffer> | Iterable<Buffer>;

async function* eventsOf(sound: Sound) {
  for await (const AudioChunk of sound) yield { AudioEvent: { AudioChunk } };
}

/** Streams sound by the official client; `heard` is filled as results come. */
async function stream(
  sound: Sound,
  heard: Heard = { partials: [], finals: [] },
  change: Partial<StartStreamTranscriptionCommandInput> = {},
): Promise<Heard> {
  const output = await client.send(
    new StartStreamTranscriptionCommand({
      LanguageCode: 'en-US',
      MediaEncoding: 'pcm',
      MediaSampleRateHertz: 16_000,
      AudioStream: eventsOf(sound),
      ...change,
    }),
  );
  for await (const event of output.TranscriptResultStream ?? []) {
    for (const result of event.TranscriptEvent?.Transcript?.Results ?? []) {
      (result.IsPartial === true ? heard.partials : heard.finals).push(result.Alternatives?.[0]?.Transcript ?? '');
    }
  }
  return heard;
}

function* pieces(sound: Buffer, bytes = 3200): Generator<Buffer> {
  for (let from = 0; from < sound.length; from += bytes) yield sound.subarray(from, from + bytes);
}

test('speech is heard while it is spoken, and whole at its end', async () => {
  const heard: Heard = { partials: [], finals: [] };
  async function* speaking() {
    yield* pieces(speech);
    // The speaker pauses until a word of his comes back.
    while (heard.partials.length === 0) {
      yield Buffer.alloc(320);
      await delay(30);
    }
  }
  await stream(speaking(), heard);
  expect(heard.partials[0]).toMatch(/^[a-z ]+$/);
  expect(heard.finals).toEqual(['where is the power button']);
});

test('among several languages the one that was heard is named; silence is nothing', async () => {
  const among = { LanguageCode: undefined, IdentifyLanguage: true, LanguageOptions: 'de-DE,en-GB' };
  expect(await stream(pieces(speech), undefined, among)).toMatchObject({ finals: ['where is the power button'] });
  expect(await stream(pieces(Buffer.alloc(32_000)))).toEqual({ partials: [], finals: [] });
  expect(await stream([])).toEqual({ partials: [], finals: [] });
});

test.each<[string, Partial<StartStreamTranscriptionCommandInput>]>([
  ['an encoding that is not served', { MediaEncoding: 'flac' }],
  ['a sample rate that is none', { MediaSampleRateHertz: 4000 }],
  ['no language', { LanguageCode: undefined }],
  ['a single candidate', { LanguageCode: undefined, IdentifyLanguage: true, LanguageOptions: 'en-US' }],
  ['two dialects', { LanguageCode: undefined, IdentifyLanguage: true, LanguageOptions: 'en-US,en-GB' }],
  ['a model that is not there', { LanguageModelName: 'nobody.made.it' }],
  ['speakers told apart', { ShowSpeakerLabel: true }],
])('%s is refused as by AWS', async (_what, change) => {
  await expect(stream(pieces(speech), undefined, change)).rejects.toMatchObject({
    name: 'BadRequestException',
    $metadata: { httpStatusCode: 400 },
  });
});

test('what goes wrong later is told in the stream', async () => {
  await expect(stream([speech.subarray(0, 40_000)])).rejects.toMatchObject({
    name: 'BadRequestException',
    message: expect.stringContaining('too large'),
  });
  async function* mute() {
    yield speech.subarray(0, 3200);
    await delay(600);
    yield speech.subarray(3200, 6400);
  }
  await expect(stream(mute())).rejects.toMatchObject({ message: expect.stringContaining('no new audio') });
  const german = stream(pieces(speech), undefined, { LanguageCode: 'de-DE' });
  await expect(german).rejects.toMatchObject({ message: expect.stringContaining('English only') });
});

test('faults hit a stream before it is taken and after its first event', async () => {
  const fault = (kind: string, more: object = {}): unknown =>
    service.chaos.add({ service: 'transcribe', operation: 'StartStreamTranscription', fault: kind, count: 1, ...more });
  fault('throttle');
  await expect(stream(pieces(speech))).rejects.toMatchObject({ name: 'LimitExceededException' });
  fault('reset');
  await expect(stream(pieces(speech))).rejects.toThrow();
  fault('error', { after_events: 0 });
  await expect(stream(pieces(speech))).rejects.toMatchObject({ name: 'InternalFailureException' });
  fault('reset', { after_events: 0 });
  // To the SDK a cut looks like an end; nothing was heard.
  expect((await stream(pieces(speech))).finals).toEqual([]);
  expect((await stream(pieces(speech))).finals).toEqual(['where is the power button']);
});

test('without a decoder the stream says what to install; a client that leaves stops the work', async () => {
  const bare = await serveService((base) => createTranscribe({ ...base, programPath: '/nowhere' }));
  const other = new TranscribeStreamingClient({ ...bare.client, logger: quiet });
  const command = (sound: Sound) =>
    new StartStreamTranscriptionCommand({
      LanguageCode: 'en-US',
      MediaEncoding: 'pcm',
      MediaSampleRateHertz: 16_000,
      AudioStream: eventsOf(sound),
    });
  try {
    await expect(other.send(command(pieces(speech)))).rejects.toThrow(/pocketsphinx/);
  } finally {
    other.destroy();
    await bare.close();
  }
  const leave = new AbortController();
  let sent = 0;
  async function* endless() {
    for (; !leave.signal.aborted; sent += 1) {
      yield speech.subarray(0, 3200);
      await delay(10);
      if (sent === 5) leave.abort();
    }
  }
  // To the SDK this is an end, too. What was being heard is dropped, and makes room for others.
  await client.send(command(endless()), { abortSignal: leave.signal });
  expect((await stream(pieces(speech))).finals).toEqual(['where is the power button']);
});

import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { waitFor } from '@manuel/testing';
import { toneWav } from './test-support/wav.ts';
import { startVoiceStack, type VoiceStack } from './test-support/voice-stack.ts';

let stack: VoiceStack;
let users = 0;
let user: string;
let tone = 200;

beforeAll(async () => {
  stack = await startVoiceStack(process.env);
});
afterAll(() => stack.close());
beforeEach(() => {
  user = `user-${(users += 1)}`;
  stack.speech.text = 'how do I descale it';
});

/** A recording that nobody has sent before. */
const recording = (seconds = 0.4): Buffer => toneWav(seconds, (tone += 1));
const usedBy = async (userId: string): Promise<number> =>
  (await stack.ledger.usage.totals(userId, Date.now())).daily_used;
const nothingLeft = (userId: string): Promise<unknown> =>
  waitFor(async () => (await stack.keysOf(userId)).length === 0, { what: 'an empty bucket' });

test('a recording becomes text, with its length, language and word timings, and leaves nothing behind', async () => {
  const before = await stack.calls();
  const id = await stack.submit(user, await stack.store(user, recording()));
  const row = await stack.ended(user, id);
  expect(row).toMatchObject({
    status: 'completed',
    result: {
      transcription: 'how do I descale it',
      confidence: 0.9,
      duration_s: 0.4,
      language_code: 'en-US',
      from_cache: false,
      usage: { daily_used: 1 },
    },
  });
  expect(row.detail).toMatchObject({
    words: [{ text: 'how', start_s: 0, end_s: 0.08, confidence: 0.9 }, {}, {}, {}, {}],
  });
  expect(await usedBy(user)).toBe(1);
  await nothingLeft(user);
  const after = await stack.calls();
  for (const operation of ['StartTranscriptionJob', 'DeleteTranscriptionJob']) {
    expect((after[operation] ?? 0) - (before[operation] ?? 0)).toBe(1);
  }
});

test('the same bytes again cost nothing, for the same user and language only', async () => {
  const bytes = recording();
  const again = async (userId: string, language_code?: string): Promise<unknown> => {
    const source = await stack.store(userId, bytes, language_code === undefined ? {} : { language_code });
    return (await stack.ended(userId, await stack.submit(userId, source))).result;
  };
  expect(await again(user)).toMatchObject({ from_cache: false });
  expect(await again(user)).toMatchObject({ from_cache: true, transcription: 'how do I descale it', duration_s: 0.4 });
  expect(await usedBy(user)).toBe(1);
  expect(await again(user, 'de-DE')).toMatchObject({ from_cache: false, language_code: 'de-DE' });
  expect(await again(`${user}-other`)).toMatchObject({ from_cache: false });
  await nothingLeft(user);
});

test('a spoken question goes on as a typed one, under the same id, its words known at once', async () => {
  stack.speech.text = `${'This is how it came about. '.repeat(90)}How do I descale it?`;
  const id = await stack.submit(user, await stack.store(user, recording()), 'voice');
  const row = await waitFor(async () => {
    const now = await stack.ledger.jobs.get(user, id);
    return now?.job === 'query' ? now : undefined;
  });
  expect(row).toMatchObject({ operation: 'voice', status: 'queued', payload: { persona: 'default' } });
  const { question, transcription } = row.payload as { question: string; transcription: string };
  expect(transcription).toBe(stack.speech.text);
  expect(question.length).toBeLessThanOrEqual(2000);
  expect(question).toMatch(/^This is how.*How do I descale it\?$/);
  const view = await waitFor(async () => {
    const now = await stack.admitter.view(user, id);
    return now?.progress.transcription === undefined ? undefined : now;
  });
  expect(view.progress).toMatchObject({ step: 'transcribing', transcription: stack.speech.text });
  await nothingLeft(user);
  expect(await usedBy(user)).toBe(0);
});

test('what cannot be transcribed fails in words, costs nothing and leaves nothing', async () => {
  const before = (await stack.calls())['StartTranscriptionJob'] ?? 0;
  const good = await stack.store(user, recording());
  const cases: readonly (readonly [code: string, source: typeof good])[] = [
    ['upload_missing', { ...good, audio_key: `audio/${user}/never-sent.wav` }],
    ['upload_missing', { ...good, audio_key: `audio/${user}/../somebody/else.wav` }],
    ['upload_missing', { ...good, audio_key: `audio/somebody-else/recording-1.wav` }],
    ['upload_mismatch', await stack.store(user, recording(), { etag: 'another' })],
    ['upload_mismatch', await stack.store(user, recording(), { audio_sha256: '0'.repeat(64) })],
    ['audio_unreadable', await stack.store(user, Buffer.from('no sound, only text '.repeat(50)))],
    ['audio_unreadable', await stack.store(user, Buffer.alloc(0))],
    ['audio_unreadable', await stack.store(user, recording().subarray(0, 4000))],
    ['audio_too_long', await stack.store(user, recording(61))],
    ['unsupported_media_type', await stack.store(user, recording(), { content_type: 'audio/mpeg' })],
  ];
  for (const [code, source] of cases) {
    const row = await stack.ended(user, await stack.submit(user, source));
    expect(row).toMatchObject({ status: 'failed', attempts: 1, error: { code, detail: expect.stringMatching(/\.$/) } });
  }
  await stack.s3.deleteObjects(stack.settings.storage.audio_bucket, [good.audio_key]);
  await nothingLeft(user);
  expect(await usedBy(user)).toBe(0);
  expect((await stack.calls())['StartTranscriptionJob'] ?? 0).toBe(before);
});

test('silence is no speech, and free', async () => {
  stack.speech.text = '';
  const row = await stack.ended(user, await stack.submit(user, await stack.store(user, recording())));
  expect(row).toMatchObject({ status: 'failed', error: { code: 'no_speech' } });
  expect(await usedBy(user)).toBe(0);
  await nothingLeft(user);
});

test('Transcribe’s throttling and failures pass; the job is started once', async () => {
  await stack.chaos({ service: 'transcribe', operation: 'StartTranscriptionJob', fault: 'throttle', count: 2 });
  await stack.chaos({ service: 'transcribe', operation: 'GetTranscriptionJob', fault: 'error', count: 2 });
  const heard = stack.speech.heard;
  const row = await stack.ended(user, await stack.submit(user, await stack.store(user, recording())));
  expect(row.status).toBe('completed');
  expect(stack.speech.heard).toBe(heard + 1);
});

test('a cancelled job’s recording goes at once, and the rest when Transcribe lets go of it', async () => {
  const release = stack.speech.hold();
  const heard = stack.speech.heard;
  const id = await stack.submit(user, await stack.store(user, recording()));
  await waitFor(() => stack.speech.heard > heard, { what: 'the decoder’s start' });
  await stack.admitter.cancel(user, id);
  expect(await stack.ended(user, id)).toMatchObject({ status: 'cancelled' });
  await nothingLeft(user);
  expect(await stack.context.transcribe.get(`manuel-${id}`)).toMatchObject({ status: 'running' });
  release();
  await waitFor(async () => (await stack.context.transcribe.get(`manuel-${id}`)) === undefined, {
    what: 'Transcribe’s job to be removed',
  });
  await nothingLeft(user);
  expect(await usedBy(user)).toBe(0);
});

test('an upload that is replaced while it is transcribed is refused', async () => {
  const release = stack.speech.hold();
  const heard = stack.speech.heard;
  const { audio_sha256: _unseen, ...source } = await stack.store(user, recording());
  const id = await stack.submit(user, source);
  await waitFor(() => stack.speech.heard > heard, { what: 'the decoder’s start' });
  await stack.s3.putObject({
    bucket: stack.settings.storage.audio_bucket,
    key: source.audio_key,
    body: recording(),
    contentType: 'audio/wav',
  });
  release();
  expect(await stack.ended(user, id)).toMatchObject({ status: 'failed', error: { code: 'upload_mismatch' } });
  await nothingLeft(user);
});

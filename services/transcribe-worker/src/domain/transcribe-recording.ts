import { explainFailure } from '@manuel/aws';
import { ManuelError } from '@manuel/contracts';
import { chooseModel, modelLanguage } from './bias/choose-model.ts';
import { checkRecording, checkUnchanged } from './check-recording.ts';
import { cleanUp } from './clean-up.ts';
import type { Heard, Outside } from './outside.ts';
import { readTranscript } from './read-transcript.ts';
import {
  languagesOf,
  ownAudioKey,
  type Recording,
  type RecordingMemory,
  transcriptionName,
  transcriptKey,
} from './recording.ts';

export type Next =
  | { readonly kind: 'again'; readonly delayMs: number; readonly step: RecordingMemory }
  | { readonly kind: 'heard'; readonly heard: Heard; readonly fromCache: boolean };

/** How much later than its place a call may still be made. */
const lateMs = 500;
/** Each look waits this much longer than the one before. */
const growth = 1.5;
const maxTranscriptBytes = 64 * 1024 * 1024;

/**
 * One step on the way from a recording to its text: check it, start Transcribe's job, look, fetch, clean up. Every step
 * may be repeated; between steps nothing is held but the memory that `again` carries.
 */
export async function transcribeRecording(outside: Outside, recording: Recording): Promise<Next> {
  const { memory } = recording;
  if (memory.heard !== undefined) {
    // The text is safe in the job's memory by now, so what it came from may go.
    const { from_cache: fromCache, ...heard } = memory.heard;
    await recording.heard(heard.text);
    await cleanUp(outside, recording, memory.started === true, recording.signal);
    return { kind: 'heard', heard, fromCache };
  }
  if (memory.facts === undefined) return check(outside, recording);
  return memory.started === true ? look(outside, recording) : start(outside, recording, memory);
}

async function check(outside: Outside, recording: Recording): Promise<Next> {
  await recording.progress('checking');
  const facts = await checkRecording(outside, recording);
  const known = await outside.transcripts.get(recording.userId, facts.sha256, languagesOf(outside.settings, recording));
  if (known === undefined) return start(outside, recording, { ...recording.memory, facts });
  await recording.heard(known.text);
  return { kind: 'again', delayMs: 0, step: { facts, heard: { ...known, from_cache: true } } };
}

async function start(outside: Outside, recording: Recording, memory: RecordingMemory): Promise<Next> {
  const { settings, limiter, transcribe } = outside;
  const { facts } = memory;
  if (facts === undefined) return check(outside, recording);
  if (memory.model === undefined) {
    const choice = await chooseModel(outside, { ...recording, memory });
    if (choice.kind === 'chosen') return start(outside, recording, { facts, model: choice.name });
    return { kind: 'again', delayMs: choice.delayMs, step: { facts, waits: (memory.waits ?? 0) + 1 } };
  }
  const name = transcriptionName(recording);
  const wait = await placeFor(outside, memory, 'start');
  if (wait > 0) return { kind: 'again', delayMs: wait, step: { ...memory, due: outside.now() + wait } };
  // All places taken: somebody has to finish first. Spread, so that not all come back at once.
  const later = (): Next => {
    const { due: _used, ...step } = memory;
    return { kind: 'again', delayMs: settings.transcribe.poll_max_ms * (0.5 + Math.random()), step };
  };
  if (!(await limiter.occupy(name))) return later();
  const bucket = settings.storage.audio_bucket;
  const language = modelLanguage(outside, recording);
  const answer = await transcribe.start(
    {
      name,
      audio: { bucket, key: ownAudioKey(settings, recording) },
      format: facts.format,
      languages: languagesOf(settings, recording),
      output: { bucket, key: transcriptKey(settings, recording) },
      ...(memory.model === null || language === undefined ? {} : { model: { name: memory.model, language } }),
    },
    recording.signal,
  );
  if (answer !== 'started' && answer !== 'already') await limiter.vacate(name);
  if (answer === 'busy') return later();
  if (answer === 'model missing') {
    if (memory.model) outside.readyModels.delete(memory.model);
    return start(outside, recording, { facts, model: null });
  }
  if (answer === 'audio missing') {
    throw new ManuelError('upload_missing', 'The recording was removed before it could be transcribed.');
  }
  await recording.progress('transcribing');
  return lookLater(outside, { facts, model: memory.model, started: true, looks: 0 });
}

/** Takes the place of the next look in advance, so that nobody wakes up only to be told to wait. */
async function lookLater(outside: Outside, memory: RecordingMemory): Promise<Next> {
  const { poll_initial_ms, poll_max_ms } = outside.settings.transcribe;
  const looks = memory.looks ?? 0;
  const pause = Math.min(poll_initial_ms * growth ** looks, poll_max_ms);
  const wait = Math.max(1, await outside.limiter.reserve('get', pause));
  return { kind: 'again', delayMs: wait, step: { ...memory, looks: looks + 1, due: outside.now() + wait } };
}

/** 0 when the call may be made now: its place has come, or one is free. */
async function placeFor(outside: Outside, memory: RecordingMemory, call: 'start' | 'get'): Promise<number> {
  const late = memory.due === undefined ? Number.POSITIVE_INFINITY : outside.now() - memory.due;
  return late >= -lateMs && late <= lateMs ? 0 : outside.limiter.reserve(call);
}

async function look(outside: Outside, recording: Recording): Promise<Next> {
  const { memory } = recording;
  const wait = await placeFor(outside, memory, 'get');
  if (wait > 0) return { kind: 'again', delayMs: wait, step: { ...memory, due: outside.now() + wait } };
  const state = await outside.transcribe.get(transcriptionName(recording), recording.signal);
  if (state?.status === 'running') return lookLater(outside, memory);
  // Gone, or never there: start it (again).
  if (state === undefined) return start(outside, recording, memory.facts ? { facts: memory.facts } : {});
  if (state.status === 'failed') {
    // A try again must not find this failure under the same name.
    await outside.transcribe.delete(transcriptionName(recording), recording.signal);
    await outside.limiter.vacate(transcriptionName(recording));
    throw explainFailure(state.failureReason);
  }
  return fetchTranscript(outside, recording, state.languageCode);
}

async function fetchTranscript(
  outside: Outside,
  recording: Recording,
  languageCode: string | undefined,
): Promise<Next> {
  const { settings, s3, ledger } = outside;
  await recording.progress('fetching');
  await checkUnchanged(outside, recording);
  const output = await s3.getObject({
    bucket: settings.storage.audio_bucket,
    key: transcriptKey(settings, recording),
    maxBytes: maxTranscriptBytes,
    signal: recording.signal,
  });
  if (output === undefined) throw new ManuelError('upstream_failed', 'The transcript was not delivered. Try again.');
  const transcript = readTranscript(output.bytes);
  if (!/[\p{L}\p{N}]/u.test(transcript.text)) {
    throw new ManuelError('no_speech', 'No speech was heard in the recording. Speak closer to the microphone.');
  }
  const { facts } = recording.memory;
  const heard: Heard = {
    text: transcript.text,
    confidence: transcript.confidence,
    duration_s: facts?.duration_s ?? transcript.words.at(-1)?.end_s ?? 0,
    language_code: recording.source.language_code ?? transcript.languageCode ?? languageCode ?? 'und',
  };
  await ledger.jobs.keepDetail(recording.userId, recording.jobId, { words: transcript.words });
  if (facts) {
    await outside.transcripts.set(recording.userId, facts.sha256, languagesOf(settings, recording), heard);
  }
  await recording.heard(heard.text);
  return {
    kind: 'again',
    delayMs: 0,
    step: { ...(facts ? { facts } : {}), started: true, heard: { ...heard, from_cache: false } },
  };
}

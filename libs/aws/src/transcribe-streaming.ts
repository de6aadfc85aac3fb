import { Readable } from 'node:stream';
import {
  type AudioStream,
  BadRequestException,
  LanguageCode,
  StartStreamTranscriptionCommand,
  type StartStreamTranscriptionCommandInput,
  TranscribeStreamingClient,
} from '@aws-sdk/client-transcribe-streaming';
import { ManuelError } from '@manuel/contracts';
import { classifyFailure, failureOf, type Resilience } from '@manuel/resilience';
import type { Settings } from '@manuel/settings';
import { NodeHttp2Handler } from '@smithy/node-http-handler';
import { explainFailure } from './transcribe/explain-failure.ts';
import { type LiveTranscript, readTranscriptStream } from './transcribe/read-transcript-stream.ts';
import { ReplayableAudio } from './transcribe/replayable-audio.ts';

export type { LiveTranscript } from './transcribe/read-transcript-stream.ts';

export interface LiveSpeech {
  /** Samples a second, 8,000 to 48,000. */
  readonly sampleRate: number;
  /** One: it is spoken. More: the one that is spoken is found out. */
  readonly languages: readonly string[];
  /** A model of what the speaker probably says, where one language is named; one that is not there is done without. */
  readonly model?: string;
  readonly onModelMissing?: () => void;
  /** PCM, 16 bits, little endian, one channel; taken at the pace at which Transcribe takes it. Its end is the end of speech. */
  readonly audio: AsyncIterable<Uint8Array>;
  /** All that was heard so far, whenever that changes. Each text replaces the one before. */
  readonly onPartial: (text: string) => void;
}

export interface TranscribeStreaming {
  /**
   * Transcribes speech while it is spoken. Until Transcribe has taken the stream a failure is tried again, with all the audio
   * so far; after that the call fails. Throws ManuelError only.
   */
  transcribe(speech: LiveSpeech, signal: AbortSignal): Promise<LiveTranscript>;
  close(): void;
}

const upstream = 'transcribe';
const operation = 'StartStreamTranscription';
/** Transcribe takes at most a second of sound in one event and advises 50 to 200 ms. */
const eventMs = 200;
/** A connection on which nothing moves for this long is given up, whatever else is waited for. */
const idleMs = 60_000;
const noSuchModel = /language model that you specified|requested (?:language )?model couldn't be found/i;

/** Whether live speech can be understood in a language. */
export const isLiveLanguage = (code: string): code is LanguageCode =>
  Object.values(LanguageCode).some((known) => known === code);

/** Of several candidates Transcribe takes one dialect of each language, and at least two. */
function spokenIn(
  languages: readonly string[],
): Pick<StartStreamTranscriptionCommandInput, 'LanguageCode' | 'IdentifyLanguage' | 'LanguageOptions'> {
  const dialects = new Map<string, LanguageCode>();
  for (const code of languages) {
    const language = code.split('-')[0] ?? code;
    if (isLiveLanguage(code) && !dialects.has(language)) dialects.set(language, code);
  }
  const [only, ...others] = dialects.values();
  if (others.length > 0) return { IdentifyLanguage: true, LanguageOptions: [...dialects.values()].join(',') };
  return { LanguageCode: only ?? LanguageCode.EN_US };
}

async function* events(audio: AsyncIterable<Uint8Array>, sampleRate: number): AsyncGenerator<AudioStream> {
  const most = Math.floor((sampleRate * eventMs) / 1000) * 2;
  for await (const chunk of audio) {
    for (let from = 0; from < chunk.length; from += most) {
      yield { AudioEvent: { AudioChunk: chunk.subarray(from, from + most) } };
    }
  }
}

/** The SDK warns on the console of every failed stream, which is ours to tell. */
const quiet = { trace() {}, debug() {}, info() {}, warn() {}, error() {} };

/** Calls `onTaken` when AWS has taken a stream: `send` itself comes back no sooner than the first word was heard. */
function whenTaken(command: StartStreamTranscriptionCommand, onTaken: (answer: Readable) => void): void {
  command.middlewareStack.add(
    (next) => async (args) => {
      const result = await next(args);
      const { statusCode, body } = Object(result.response) as { statusCode?: unknown; body?: unknown };
      if (statusCode === 200 && body instanceof Readable) onTaken(body);
      return result;
    },
    { step: 'deserialize', priority: 'low', name: 'whenTaken' },
  );
}

/** Amazon Transcribe’s live streams behind our own retries, breaker and time limits. */
export function createTranscribeStreaming(deps: {
  readonly settings: Pick<Settings, 'region' | 'pool' | 'transcribe'>;
  readonly resilience: Resilience;
}): TranscribeStreaming {
  const { settings, resilience } = deps;
  const { live_start_timeout_ms, live_finish_timeout_ms } = settings.transcribe;
  const client = new TranscribeStreamingClient({
    region: settings.region,
    maxAttempts: 1,
    logger: quiet,
    // Sound goes up while text comes down, which HTTP/1.1 cannot do. Each stream has a connection of its own.
    requestHandler: new NodeHttp2Handler({ requestTimeout: idleMs, disableConcurrentStreams: true }),
  });

  /** One try. `opened`: Transcribe has taken the stream. */
  async function attempt(
    speech: LiveSpeech & { readonly replay: ReplayableAudio; readonly startBy: number },
    signal: AbortSignal,
    opened: () => void,
  ): Promise<LiveTranscript> {
    const mute = new AbortController();
    const limit = (ms: number): NodeJS.Timeout => setTimeout(() => mute.abort(), Math.max(0, ms));
    let timer = limit(speech.startBy - Date.now());
    let spoken = false;
    async function* audio(): AsyncGenerator<Uint8Array> {
      yield* speech.replay.read();
      spoken = true;
      if (mute.signal.aborted) return;
      clearTimeout(timer);
      timer = limit(live_finish_timeout_ms);
    }
    let answer: Readable | undefined;
    try {
      const abortSignal = AbortSignal.any([signal, mute.signal]);
      const command = new StartStreamTranscriptionCommand({
        MediaEncoding: 'pcm',
        MediaSampleRateHertz: speech.sampleRate,
        ...spokenIn(speech.languages),
        ...(speech.model === undefined ? {} : { LanguageModelName: speech.model }),
        AudioStream: events(audio(), speech.sampleRate),
      });
      whenTaken(command, (body) => {
        answer = body;
        if (!spoken) clearTimeout(timer);
        opened();
      });
      const output = await client.send(command, { abortSignal });
      if (!output.TranscriptResultStream) throw failureOf('stream');
      const transcript = await readTranscriptStream(output.TranscriptResultStream, (text) => {
        if (!abortSignal.aborted) speech.onPartial(text);
      });
      abortSignal.throwIfAborted();
      // To the SDK a connection that was cut looks like an answer that has ended.
      if (!spoken || answer?.readableEnded !== true) throw failureOf('connection');
      return transcript;
    } catch (error) {
      // An abort of our own is the upstream's silence, not somebody's cancel.
      if (mute.signal.aborted && !signal.aborted) throw silence();
      // So the SDK calls a connection that was cut before the answer.
      const cut = answer === undefined && error instanceof Error && error.name === 'TimeoutError';
      throw cut ? failureOf('connection') : error;
    } finally {
      clearTimeout(timer);
      mute.abort();
    }
  }

  return {
    async transcribe(speech, caller) {
      const replay = new ReplayableAudio(speech.audio);
      const startBy = Date.now() + live_start_timeout_ms;
      let open = false;
      const opened = (): void => {
        open = true;
        replay.settle();
      };
      const { model, ...rest } = speech;
      const call = (input: LiveSpeech): Promise<LiveTranscript> =>
        resilience.call({ upstream, operation, signal: caller }, async (signal) => {
          try {
            return await attempt({ ...input, replay, startBy }, signal, opened);
          } catch (error) {
            if (!open) throw error;
            // What was sent is gone: a retry would begin in the middle of a sentence.
            throw failedFor(error, false);
          }
        });
      try {
        return await call(speech).catch((error: unknown) => {
          if (model === undefined || open || !isAboutModel(error)) throw error;
          speech.onModelMissing?.();
          return call(rest);
        });
      } catch (error) {
        if (caller.aborted) throw error;
        throw asTheSpeakerSees(error, open);
      }
    },
    close: () => client.destroy(),
  };
}

const isAboutModel = (error: unknown): boolean =>
  error instanceof ManuelError && error.cause instanceof BadRequestException && noSuchModel.test(error.cause.message);

/** Transcribe said nothing for too long. Not tried again: the speaker has waited long enough. */
function silence(): ManuelError {
  const cause = new DOMException('Transcribe said nothing in time', 'TimeoutError');
  return new ManuelError('timed_out', failureOf('timeout').detail, { cause, retryable: false });
}

/** The failure of a stream that was open. `retryable`: as the speaker may see it, who can say it again. */
function failedFor(error: unknown, retryable: boolean): ManuelError {
  const { error: known, kind } = classifyFailure(error);
  const { code } = kind === 'unknown' && known.code === 'internal' ? failureOf('connection') : known;
  const detail =
    code === 'timed_out'
      ? 'Recognition took too long. Say it again.'
      : 'Recognition broke off while you were speaking. Say it again.';
  return new ManuelError(code, detail, { cause: error, retryable });
}

function asTheSpeakerSees(error: unknown, open: boolean): unknown {
  if (!(error instanceof ManuelError)) return error;
  if (error.cause instanceof BadRequestException) return explainFailure(error.cause.message);
  return open || error.code === 'timed_out' ? failedFor(error, true) : error;
}

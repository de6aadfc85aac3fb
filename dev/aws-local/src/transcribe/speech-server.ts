import { AwsError } from '../service.ts';
import { callServer, type ServerTarget } from '../model/chat/call-server.ts';
import { RecognitionFailure, type HeardWord, type Recogniser, type Recording } from './job.ts';

export interface SpeechServerOptions {
  readonly url: string;
  readonly apiKey?: string;
  readonly model: string;
  readonly timeoutMs: number;
}

/** What `/v1/audio/transcriptions` answers as `verbose_json`; servers differ in how much of it they fill in. */
interface VerboseTranscription {
  readonly text?: string;
  readonly language?: string;
  readonly words?: readonly { word?: string; start?: number; end?: number; probability?: number }[];
  readonly segments?: readonly {
    text?: string;
    start?: number;
    end?: number;
    avg_logprob?: number;
    no_speech_prob?: number;
  }[];
}

/** Whisper's own rule for a segment in which nobody speaks. */
const NO_SPEECH_PROBABILITY = 0.6;
const MIN_LOG_PROBABILITY = -1;
/** How much of the bias fits into a prompt. */
const MAX_PROMPT_CHARACTERS = 800;

/** Recognises through an OpenAI-compatible server such as speaches, whisper.cpp or vLLM. */
export function createSpeechServer(options: SpeechServerOptions): Recogniser {
  const target: ServerTarget = { ...options, setting: 'SPEECH_URL' };
  return {
    async recognise(recording, signal) {
      const answer = await ask(target, form(recording, options.model), signal);
      const spoken = (answer.segments ?? []).filter(
        (segment) =>
          !((segment.no_speech_prob ?? 0) > NO_SPEECH_PROBABILITY && (segment.avg_logprob ?? 0) < MIN_LOG_PROBABILITY),
      );
      const allSilent = answer.segments !== undefined && answer.segments.length > 0 && spoken.length === 0;
      const text = allSilent
        ? ''
        : spoken.length > 0
          ? spoken.map((segment) => segment.text?.trim() ?? '').join(' ')
          : (answer.text ?? '').trim();
      return {
        text,
        words: text === '' ? [] : readWords(answer, spoken, text),
        languageCode: languageOf(recording, answer.language),
      };
    },
  };
}

function form(recording: Recording, model: string): FormData {
  const data = new FormData();
  data.set('file', new Blob([new Uint8Array(recording.media)]), `recording.${recording.format}`);
  data.set('model', model);
  data.set('response_format', 'verbose_json');
  data.append('timestamp_granularities[]', 'word');
  data.append('timestamp_granularities[]', 'segment');
  if (recording.languageCode !== undefined)
    data.set('language', recording.languageCode.slice(0, recording.languageCode.indexOf('-')));
  const phrases = (recording.bias?.phrases ?? []).join(', ');
  if (phrases !== '') data.set('prompt', phrases.slice(0, MAX_PROMPT_CHARACTERS));
  return data;
}

async function ask(target: ServerTarget, body: FormData, signal: AbortSignal): Promise<VerboseTranscription> {
  try {
    const call = await callServer(target, '/audio/transcriptions', body, signal);
    try {
      const answer: unknown = await call.response.json();
      if (answer === null || typeof answer !== 'object')
        throw new RecognitionFailure('The server at SPEECH_URL answered without a transcription.');
      // Every member is optional and read with care.
      return answer;
    } catch (error) {
      if (error instanceof SyntaxError)
        throw new RecognitionFailure('The server at SPEECH_URL answered with something that is not JSON.');
      throw call.explain(error);
    } finally {
      call.end();
    }
  } catch (error) {
    if (error instanceof AwsError) throw new RecognitionFailure(error.message);
    throw error;
  }
}

/** The server's words with their times; without those, each word of a segment bears the segment's times. */
function readWords(
  answer: VerboseTranscription,
  spoken: NonNullable<VerboseTranscription['segments']>,
  text: string,
): HeardWord[] {
  const confidenceAt = (time: number) => {
    const segment = spoken.find(
      (candidate) => (candidate.start ?? 0) <= time && time <= (candidate.end ?? Number.POSITIVE_INFINITY),
    );
    // A server that gives no figure vouches for its text.
    return segment?.avg_logprob === undefined ? 1 : Math.min(1, Math.exp(segment.avg_logprob));
  };
  if (answer.words !== undefined && answer.words.length > 0) {
    return answer.words.flatMap((word) => {
      const content = word.word?.trim() ?? '';
      const start = word.start ?? 0;
      return content === ''
        ? []
        : [{ text: content, start, end: word.end ?? start, confidence: word.probability ?? confidenceAt(start) }];
    });
  }
  const pieces = spoken.length > 0 ? spoken : [{ text, start: 0, end: 0 }];
  return pieces.flatMap((piece) =>
    (piece.text ?? '')
      .split(/\s+/)
      .filter((word) => word !== '')
      .map((word) => {
        const start = piece.start ?? 0;
        return { text: word, start, end: piece.end ?? start, confidence: confidenceAt(start) };
      }),
  );
}

/** Servers say "english" or "en"; AWS says "en-US". */
function languageOf(recording: Recording, heard: string | undefined): string {
  if (recording.languageCode !== undefined) return recording.languageCode;
  const known = (heard ?? '').toLowerCase();
  const match = recording.languageOptions.find((code) => {
    const name = new Intl.DisplayNames(['en'], { type: 'language' }).of(code.slice(0, code.indexOf('-')));
    return known !== '' && (code.toLowerCase().startsWith(`${known}-`) || name?.toLowerCase() === known);
  });
  return match ?? recording.languageOptions[0] ?? 'en-US';
}

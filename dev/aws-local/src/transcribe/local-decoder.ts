import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { RecognitionFailure, type HeardWord, type Recogniser, type Recording } from './job.ts';
import type { BiasModels } from './language-model/bias-models.ts';
import { findInstalledModel } from './language-model/pocketsphinx-model.ts';
import { detectFormat, sameContainer, type MediaFormat } from './media.ts';
import { isSpoken, readHypothesis, readScore } from './read-hypothesis.ts';
import { findProgram, runChild } from './run-child.ts';

export interface LocalDecoderOptions {
  /** Where to look for the programs, as in the variable PATH. */
  readonly path: string;
  readonly convertTimeoutMs: number;
  /** Decoding may take this long whatever the recording, and this much longer for each second of it. */
  readonly decodeTimeoutMs: number;
  readonly decodeTimeoutMsPerSecond: number;
  readonly memoryMb: number;
  readonly biasModels: BiasModels;
}

const NOT_INSTALLED =
  'No speech decoder: install the packages pocketsphinx and ffmpeg (apt-get install pocketsphinx pocketsphinx-en-us ffmpeg) or set SPEECH_URL to an OpenAI-compatible server.';
const INVALID_MEDIA = "The data in your input media file isn't valid. Check the media file and try your request again.";
const MAX_SECONDS = 4 * 60 * 60;
const WAV_BYTES_PER_SECOND = 16_000 * 2;
const WAV_HEADER_BYTES = 44;

/** The demuxer is forced: bytes that claim to be audio must not make ffmpeg open playlists or other files. */
const DEMUXERS: Readonly<Record<MediaFormat, string>> = {
  wav: 'wav',
  mp3: 'mp3',
  flac: 'flac',
  ogg: 'ogg',
  amr: 'amr',
  webm: 'matroska',
  mp4: 'mov',
  m4a: 'mov',
};

/** Decodes with the distribution's own programs: ffmpeg to 16 kHz mono, then pocketsphinx with its US English model. */
export function createLocalDecoder(options: LocalDecoderOptions): Recogniser {
  return {
    async recognise(recording, signal) {
      const ffmpeg = await findProgram('ffmpeg', options.path);
      const decoder = await findProgram('pocketsphinx_continuous', options.path);
      if (ffmpeg === undefined || decoder === undefined) throw new RecognitionFailure(NOT_INSTALLED);
      const languageCode = chooseEnglish(recording);
      checkFormat(recording);
      const folder = await mkdtemp(join(tmpdir(), 'transcribe-'));
      try {
        const wav = await convert(ffmpeg, recording, folder, options, signal);
        if (wav.seconds === 0) return { words: [], text: '', languageCode };
        const { words: heard } = await decode(decoder, wav, recording, options, signal);
        const words = isSpoken(heard) ? heard : [];
        return { words, text: words.map((word) => word.text).join(' '), languageCode };
      } finally {
        await rm(folder, { recursive: true, force: true });
      }
    },
  };
}

function chooseEnglish(recording: Recording): string {
  const wanted =
    recording.languageCode ??
    recording.languageOptions.find((code) => code.startsWith('en-')) ??
    recording.languageOptions[0] ??
    'en-US';
  if (!wanted.startsWith('en-')) {
    throw new RecognitionFailure(
      `The local speech decoder understands English only, not ${wanted}. Set SPEECH_URL to an OpenAI-compatible server for other languages.`,
    );
  }
  return wanted;
}

function checkFormat(recording: Recording): void {
  const detected = detectFormat(recording.media);
  if (detected === undefined) throw new RecognitionFailure('Unsupported media format.');
  if (!sameContainer(detected, recording.format)) {
    throw new RecognitionFailure('The media format provided does not match the detected media format.');
  }
}

/** A model made from one manual knows its subject: it may trust the sounds more than the decoder's default of 6.5 does. */
const OWN_LANGUAGE_WEIGHT = '5';
/** Mean confidence from which the general model is not asked as well. Measured: right hearings .75 and more, wrong ones .5 and less. */
const SURE = 0.7;

interface Hearing {
  readonly words: readonly HeardWord[];
  /** The decoder's logarithmic score of its best path: higher is better, comparable between models on the same recording. */
  readonly score: number;
}

interface Wav {
  readonly path: string;
  readonly seconds: number;
}

async function convert(
  ffmpeg: string,
  recording: Recording,
  folder: string,
  options: LocalDecoderOptions,
  signal: AbortSignal,
): Promise<Wav> {
  const input = join(folder, 'input');
  const path = join(folder, 'speech.wav');
  await writeFile(input, recording.media);
  const args = [
    '-nostdin',
    '-v',
    'error',
    '-protocol_whitelist',
    'file',
    '-threads',
    '1',
    '-f',
    DEMUXERS[recording.format],
    '-i',
    input,
  ];
  const result = await runChild(
    ffmpeg,
    [...args, '-map', '0:a:0', '-t', String(MAX_SECONDS), '-ar', '16000', '-ac', '1', '-c:a', 'pcm_s16le', '-y', path],
    {
      timeoutMs: options.convertTimeoutMs,
      memoryMb: options.memoryMb,
      signal,
    },
  );
  if (result.timedOut)
    throw new RecognitionFailure(
      `The media file could not be converted within ${options.convertTimeoutMs} ms. Use a shorter file.`,
    );
  if (result.code !== 0) throw new RecognitionFailure(INVALID_MEDIA);
  const { size } = await stat(path);
  return { path, seconds: Math.max(0, size - WAV_HEADER_BYTES) / WAV_BYTES_PER_SECOND };
}

/**
 * Decodes with the model of what the speaker probably talks about. Where that is not sure of itself the general model has its say too, and
 * the better scored hearing wins: a question about something else must not come out as words of the manual.
 */
async function decode(
  decoder: string,
  wav: Wav,
  { bias, draft }: Pick<Recording, 'bias' | 'draft'>,
  options: LocalDecoderOptions,
  signal: AbortSignal,
): Promise<Hearing> {
  const installed = bias === undefined ? undefined : await findInstalledModel();
  if (bias === undefined || installed === undefined) return hear(decoder, wav, [], options, signal);
  const files = await options.biasModels.files(bias, installed.dictionaryPath, signal);
  const own = [
    '-hmm',
    installed.acousticModel,
    '-dict',
    files.dictionaryPath,
    '-lm',
    files.arpaPath,
    '-lw',
    OWN_LANGUAGE_WEIGHT,
  ];
  const biased = await hear(decoder, wav, own, options, signal);
  if (draft === true || meanConfidence(biased.words) >= SURE) return biased;
  const general = await hear(decoder, wav, [], options, signal);
  return biased.score >= general.score ? biased : general;
}

async function hear(
  decoder: string,
  wav: Wav,
  model: readonly string[],
  options: LocalDecoderOptions,
  signal: AbortSignal,
): Promise<Hearing> {
  const timeoutMs = options.decodeTimeoutMs + Math.ceil(wav.seconds) * options.decodeTimeoutMsPerSecond;
  const args = ['-infile', wav.path, '-time', 'yes', ...model];
  const result = await runChild(decoder, args, { timeoutMs, memoryMb: options.memoryMb, signal });
  if (result.timedOut)
    throw new RecognitionFailure(
      `The local speech decoder needed more than ${timeoutMs} ms. Use a shorter recording or set SPEECH_URL.`,
    );
  if (result.code !== 0) {
    throw new RecognitionFailure(
      'The local speech decoder failed. Check that the package pocketsphinx-en-us is installed (apt-get install pocketsphinx-en-us).',
    );
  }
  return { words: readHypothesis(result.stdout), score: readScore(result.stderr) };
}

/** The geometric mean, as the probabilities of words multiply; 0 for no words. */
function meanConfidence(words: readonly HeardWord[]): number {
  if (words.length === 0) return 0;
  return Math.exp(words.reduce((sum, word) => sum + Math.log(Math.max(word.confidence, 1e-6)), 0) / words.length);
}

import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { RecognitionFailure, type Recogniser, type Recording } from './job.ts';
import { detectFormat, sameContainer, type MediaFormat } from './media.ts';
import { readHypothesis } from './read-hypothesis.ts';
import { findProgram, runChild } from './run-child.ts';

export interface LocalDecoderOptions {
  /** Where to look for the programs, as in the variable PATH. */
  readonly path: string;
  readonly convertTimeoutMs: number;
  /** Decoding may take this long whatever the recording, and this much longer for each second of it. */
  readonly decodeTimeoutMs: number;
  readonly decodeTimeoutMsPerSecond: number;
  readonly memoryMb: number;
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
        const words = await decode(decoder, wav, options, signal);
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

async function decode(decoder: string, wav: Wav, options: LocalDecoderOptions, signal: AbortSignal) {
  const timeoutMs = options.decodeTimeoutMs + Math.ceil(wav.seconds) * options.decodeTimeoutMsPerSecond;
  const result = await runChild(decoder, ['-infile', wav.path, '-time', 'yes', '-logfn', '/dev/null'], {
    timeoutMs,
    memoryMb: options.memoryMb,
    signal,
  });
  if (result.timedOut)
    throw new RecognitionFailure(
      `The local speech decoder needed more than ${timeoutMs} ms. Use a shorter recording or set SPEECH_URL.`,
    );
  if (result.code !== 0) {
    throw new RecognitionFailure(
      'The local speech decoder failed. Check that the package pocketsphinx-en-us is installed (apt-get install pocketsphinx-en-us).',
    );
  }
  return readHypothesis(result.stdout);
}

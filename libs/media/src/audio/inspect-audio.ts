import { type AudioFormat, ManuelError } from '@manuel/contracts';
import { amrDuration } from './amr.ts';
import { ByteSource, UnreadableAudio } from './byte-source.ts';
import { flacDuration } from './flac.ts';
import { looksLikeMp3, mp3Duration } from './mp3.ts';
import { isM4a, mp4Duration } from './mp4.ts';
import { oggDuration } from './ogg.ts';
import { wavDuration } from './wav.ts';
import { webmDuration } from './webm.ts';

export interface AudioFacts {
  /** What the bytes are, whatever they were said to be. */
  readonly format: AudioFormat;
  /** Seconds. */
  readonly durationS: number;
}

export interface AudioLimits {
  /** Seconds. */
  readonly maxDurationS?: number;
}

/** A click is no recording. */
const minDurationS = 0.05;
const supported = 'Supported are MP4, M4A, MP3, WAV, FLAC, Ogg, WebM and AMR.';

/** Each format by its first bytes, with the way to its duration. */
const formats: readonly {
  readonly is: (source: ByteSource) => boolean;
  readonly format: (source: ByteSource) => AudioFormat;
  readonly duration: (source: ByteSource, maxSeconds: number) => number;
}[] = [
  {
    is: (source) => source.ascii(0, 4) === 'RIFF' && source.ascii(8, 4) === 'WAVE',
    format: () => 'wav',
    duration: wavDuration,
  },
  { is: (source) => source.ascii(0, 4) === 'fLaC', format: () => 'flac', duration: flacDuration },
  { is: (source) => source.ascii(0, 4) === 'OggS', format: () => 'ogg', duration: oggDuration },
  { is: (source) => source.ascii(0, 5) === '#!AMR', format: () => 'amr', duration: amrDuration },
  { is: (source) => source.ascii(0, 4) === '\x1aE\xdf\xa3', format: () => 'webm', duration: webmDuration },
  {
    is: (source) => source.ascii(4, 4) === 'ftyp',
    format: (source) => (isM4a(source) ? 'm4a' : 'mp4'),
    duration: mp4Duration,
  },
  { is: looksLikeMp3, format: () => 'mp3', duration: mp3Duration },
];

/**
 * Says what a recording is by its bytes and how long it is by its container, without decoding it. A file is read in
 * windows, never whole. Throws ManuelError `audio_unreadable`, or `audio_too_long` above `maxDurationS`; the detail says
 * what to do.
 */
export function inspectAudio(source: Uint8Array | { readonly path: string }, limits: AudioLimits = {}): AudioFacts {
  const { maxDurationS = Number.POSITIVE_INFINITY } = limits;
  const bytes = new ByteSource(source);
  let facts: AudioFacts;
  try {
    facts = read(bytes, maxDurationS);
  } catch (error) {
    if (error instanceof UnreadableAudio) throw new ManuelError('audio_unreadable', error.message);
    throw error;
  } finally {
    bytes.close();
  }
  if (facts.durationS > maxDurationS) {
    throw new ManuelError('audio_too_long', `The recording is longer than the ${maxDurationS} seconds allowed.`);
  }
  return facts;
}

function read(source: ByteSource, maxSeconds: number): AudioFacts {
  if (source.size === 0) throw new UnreadableAudio('The recording is empty: it holds 0 bytes.');
  const known = formats.find((format) => format.is(source));
  if (known === undefined) throw new UnreadableAudio(`The file is no recording that can be read. ${supported}`);
  const durationS = known.duration(source, maxSeconds);
  if (!Number.isFinite(durationS) || durationS < minDurationS) {
    throw new UnreadableAudio('The recording is empty: it holds no sound.');
  }
  return { format: known.format(source), durationS };
}

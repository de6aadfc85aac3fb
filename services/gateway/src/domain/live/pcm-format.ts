import { ManuelError } from '@manuel/contracts';

/** Names under which recorders send bare samples. */
const pcmTypes: readonly string[] = [
  'audio/pcm',
  'audio/x-pcm',
  'audio/l16',
  'audio/x-l16',
  'audio/raw',
  'audio/x-raw',
  'audio/s16le',
];
/** The same samples behind a header, which is taken off. */
const wavTypes: readonly string[] = ['audio/wav', 'audio/x-wav', 'audio/wave', 'audio/vnd.wave'];

const unsupported = (detail: string): ManuelError => new ManuelError('unsupported_media_type', detail);

/**
 * Checks that a live microphone sends what Transcribe takes: PCM, 16 bits, one channel. Throws `unsupported_media_type`, and
 * `validation_failed` for a rate in the type (`audio/l16;rate=16000`) that is not `sample_rate`.
 */
export function checkPcmType(contentType: string, sampleRate: number): void {
  const [type = '', ...parameters] = contentType
    .toLowerCase()
    .split(/[;,]/)
    .map((part) => part.trim());
  if (!pcmTypes.includes(type) && !wavTypes.includes(type)) {
    throw unsupported(
      'Live sound is bare samples: 16-bit PCM, little endian, one channel, as audio/pcm. Send a recording to /api/voice.',
    );
  }
  const named = new Map(parameters.map((parameter) => parameter.split('=', 2) as [string, string | undefined]));
  if ((named.get('channels') ?? '1') !== '1') throw unsupported('Live sound has one channel. Record in mono.');
  const rate = named.get('rate');
  if (rate !== undefined && rate !== String(sampleRate)) {
    throw new ManuelError('validation_failed', `content_type says ${rate} samples a second, sample_rate another.`, {
      errors: [{ path: 'sample_rate', message: 'differs from the rate in content_type' }],
    });
  }
}

/**
 * The samples of a first frame that begins with a WAV header. Recorders that write files put one there, whatever type they
 * name. Throws `unsupported_media_type` when the header names other samples than were announced.
 */
export function withoutWavHeader(frame: Buffer, sampleRate: number): Buffer {
  if (frame.toString('latin1', 0, 4) !== 'RIFF' || frame.toString('latin1', 8, 12) !== 'WAVE') return frame;
  for (let at = 12; at + 8 <= frame.length;) {
    const [name, size] = [frame.toString('latin1', at, at + 4), frame.readUInt32LE(at + 4)];
    if (name === 'data') return frame.subarray(at + 8);
    if (name === 'fmt ' && at + 24 <= frame.length) {
      const [format, channels, rate] = [
        frame.readUInt16LE(at + 8),
        frame.readUInt16LE(at + 10),
        frame.readUInt32LE(at + 12),
      ];
      if (format !== 1 || channels !== 1 || rate !== sampleRate || frame.readUInt16LE(at + 22) !== 16) {
        throw unsupported('The WAV header names other samples than 16-bit mono PCM of this sample_rate.');
      }
    }
    at += 8 + size + (size % 2);
  }
  throw unsupported('The WAV header is not whole. Send it in one frame, or leave it out.');
}

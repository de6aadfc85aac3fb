import { type ByteSource, cutOff, UnreadableAudio } from './byte-source.ts';

/** Uncompressed: PCM, float, A-law, mu-law, and PCM by the extensible header. Their duration follows from the block size. */
const plainFormats = new Set([1, 3, 6, 7, 0xfffe]);
/** Compressed in blocks of a fixed number of samples: MS ADPCM, IMA ADPCM, GSM 6.10. */
const blockFormats = new Set([2, 0x11, 0x31]);

interface Format {
  readonly bytesPerSecond: number;
}

/** Seconds of a RIFF WAVE file (Microsoft, "Multimedia Programming Interface and Data Specifications 1.0"). */
export function wavDuration(source: ByteSource): number {
  let format: Format | undefined;
  for (let offset = 12; offset + 8 <= source.size;) {
    const header = source.bytes(offset, 8);
    const name = header.toString('latin1', 0, 4);
    const size = header.readUInt32LE(4);
    const start = offset + 8;
    // Also the "unknown" length of a stream that was never finished: what follows cannot be told from sound.
    if (start + size > source.size) throw cutOff();
    if (name === 'fmt ') format = readFormat(source.bytes(start, size));
    if (name === 'data') {
      if (format === undefined) throw new UnreadableAudio('The WAV file does not say how its sound is stored.');
      return size / format.bytesPerSecond;
    }
    // Chunks are padded to an even length.
    offset = start + size + (size % 2);
  }
  throw new UnreadableAudio('The WAV file holds no sound: its data is missing.');
}

function readFormat(chunk: Buffer): Format {
  if (chunk.length < 16) throw new UnreadableAudio('The WAV file’s header is damaged.');
  const tag = chunk.readUInt16LE(0);
  const channels = chunk.readUInt16LE(2);
  const rate = chunk.readUInt32LE(4);
  const block = chunk.readUInt16LE(12);
  const bits = chunk.readUInt16LE(14);
  const sane = channels >= 1 && channels <= 32 && rate >= 1000 && rate <= 768_000;
  if (!sane) throw new UnreadableAudio('The WAV file’s header is damaged: channels or sample rate are impossible.');
  if (blockFormats.has(tag)) {
    const samples = chunk.length >= 20 ? chunk.readUInt16LE(18) : 0;
    if (samples === 0 || block === 0)
      throw new UnreadableAudio('The WAV file’s header is damaged: its blocks are empty.');
    return { bytesPerSecond: (rate * block) / samples };
  }
  if (!plainFormats.has(tag)) {
    throw new UnreadableAudio('The WAV file holds sound in an unusual form. Save it as PCM, or as MP3.');
  }
  const frame = channels * Math.ceil(bits / 8);
  if (bits === 0 || bits > 64 || block !== frame) {
    throw new UnreadableAudio('The WAV file’s header is damaged: sample size and block size disagree.');
  }
  return { bytesPerSecond: rate * frame };
}

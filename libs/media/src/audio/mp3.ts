import { type ByteSource, UnreadableAudio } from './byte-source.ts';

/** kbit/s by index, layer III (ISO/IEC 11172-3 and 13818-3). */
const bitRates1 = [0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320];
const bitRates2 = [0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160];
/** Hz by version bits (0: 2.5, 2: 2, 3: 1) and index. */
const sampleRates: Readonly<Record<number, readonly number[]>> = {
  0: [11_025, 12_000, 8000],
  2: [22_050, 24_000, 16_000],
  3: [44_100, 48_000, 32_000],
};
/** Rubbish between frames that players skip too. */
const maxJunkBytes = 64 * 1024;

interface Frame {
  readonly bytes: number;
  readonly seconds: number;
  /** What stays the same through a stream: version and sample rate. */
  readonly kind: number;
}

/** Seconds of an MPEG layer III stream, frame by frame: no header of the whole is believed. */
export function mp3Duration(source: ByteSource, maxSeconds: number): number {
  let offset = skipTags(source);
  let seconds = 0;
  let frames = 0;
  let junk = 0;
  let kind: number | undefined;
  while (offset + 4 <= source.size && seconds <= maxSeconds) {
    const frame = frameAt(source, offset);
    const fits = frame !== undefined && (kind === undefined || frame.kind === kind);
    // The first frame must be followed by another: two bytes that look like one are found in any file.
    if (!fits || (kind === undefined && frameAt(source, offset + frame.bytes)?.kind !== frame.kind)) {
      if (isTrailer(source, offset)) break;
      offset += 1;
      junk += 1;
      if (junk > maxJunkBytes) break;
      continue;
    }
    kind = frame.kind;
    seconds += frame.seconds;
    frames += 1;
    offset += frame.bytes;
  }
  if (frames < 2 || junk > maxJunkBytes || junk > source.size / 2) {
    throw new UnreadableAudio('The file is no MP3 recording, or it is damaged.');
  }
  return seconds;
}

/** Whether an MP3 stream starts here or after its tags. */
export function looksLikeMp3(source: ByteSource): boolean {
  return source.ascii(0, 3) === 'ID3' || frameAt(source, 0) !== undefined;
}

/** ID3v2 tags before the sound. */
function skipTags(source: ByteSource): number {
  let offset = 0;
  while (source.ascii(offset, 3) === 'ID3' && offset + 10 <= source.size) {
    const header = source.bytes(offset, 10);
    const size = header.subarray(6, 10).reduce((sum, byte) => (sum << 7) | (byte & 0x7f), 0);
    const footer = ((header[5] ?? 0) & 0x10) === 0 ? 0 : 10;
    offset += 10 + size + footer;
  }
  return offset;
}

function frameAt(source: ByteSource, offset: number): Frame | undefined {
  if (offset + 4 > source.size) return undefined;
  const head = source.bytes(offset, 4).readUInt32BE(0);
  const version = (head >>> 19) & 3;
  const bitRate = (version === 3 ? bitRates1 : bitRates2)[(head >>> 12) & 15] ?? 0;
  const rate = sampleRates[version]?.[(head >>> 10) & 3];
  const isLayer3 = head >>> 21 === 0x7ff && ((head >>> 17) & 3) === 1;
  if (!isLayer3 || bitRate === 0 || rate === undefined || (head & 3) === 2) return undefined;
  const samples = version === 3 ? 1152 : 576;
  const padding = (head >>> 9) & 1;
  return {
    bytes: Math.floor((samples * 125 * bitRate) / rate) + padding,
    seconds: samples / rate,
    kind: version * 4 + ((head >>> 10) & 3),
  };
}

/** ID3v1, APE and Lyrics3 tags after the sound. */
function isTrailer(source: ByteSource, offset: number): boolean {
  const text = source.ascii(offset, 11);
  return text.startsWith('TAG') || text.startsWith('APETAGEX') || text.startsWith('LYRICSBEGIN');
}

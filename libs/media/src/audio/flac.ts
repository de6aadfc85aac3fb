import { type ByteSource, cutOff, UnreadableAudio } from './byte-source.ts';

interface StreamInfo {
  readonly rate: number;
  readonly blockSize: number;
  readonly largestBlock: number;
  /** 0: not known. */
  readonly samples: number;
}

/** How far from the end the last frame's header may be; a frame of eight channels and 24 bits fits. */
const searchBytes = 2 * 1024 * 1024;
const blockSizes = [0, 192, 576, 1152, 2304, 4608, 0, 0, 256, 512, 1024, 2048, 4096, 8192, 16_384, 32_768];

/** Seconds of a FLAC stream (RFC 9639): the header's, if the last frame agrees with it. */
export function flacDuration(source: ByteSource): number {
  const { info, audioStart } = readHeader(source);
  const end = lastSample(source, info, audioStart);
  if (end === undefined) throw cutOff();
  return end / info.rate;
}

function readHeader(source: ByteSource): { info: StreamInfo; audioStart: number } {
  let info: StreamInfo | undefined;
  for (let offset = 4; ;) {
    const header = source.bytes(offset, 4).readUInt32BE(0);
    const size = header & 0xff_ffff;
    const type = (header >>> 24) & 0x7f;
    if (type === 0 && size >= 18) info = readStreamInfo(source.bytes(offset + 4, 18));
    offset += 4 + size;
    if (header >>> 31 === 0) continue;
    if (info === undefined || info.rate === 0) throw new UnreadableAudio('The FLAC file’s header is damaged.');
    return { info, audioStart: offset };
  }
}

function readStreamInfo(block: Buffer): StreamInfo {
  const high = block.readUInt32BE(10);
  return {
    blockSize: block.readUInt16BE(0),
    largestBlock: block.readUInt16BE(2),
    rate: high >>> 12,
    samples: (high & 15) * 2 ** 32 + block.readUInt32BE(14),
  };
}

/** Samples up to the end of the last frame; undefined when no frame fits what the header says. */
function lastSample(source: ByteSource, info: StreamInfo, audioStart: number): number | undefined {
  const from = Math.max(audioStart, source.size - searchBytes);
  const tail = source.upTo(from, source.size - from);
  for (let at = tail.length - 6; at >= 0; at -= 1) {
    if (tail[at] !== 0xff || ((tail[at + 1] ?? 0) & 0xfe) !== 0xf8) continue;
    const end = frameEnd(tail.subarray(at, at + 16), info);
    if (end === undefined) continue;
    if (info.samples === 0 || end === info.samples) return end;
  }
  return undefined;
}

/** Samples up to the end of the frame whose header this is, if its checksum says that it is one. */
function frameEnd(head: Buffer, info: StreamInfo): number | undefined {
  const [, sync = 0, sizes = 0, layout = 0] = head;
  if (sizes >> 4 === 0 || (sizes & 15) === 15 || layout >> 4 > 10 || (layout & 1) === 1) return undefined;
  const coded = readCodedNumber(head, 4);
  if (coded === undefined) return undefined;
  let offset = coded.next;
  let block = blockSizes[sizes >> 4] ?? 0;
  const extra = sizes >> 4 === 6 ? 1 : sizes >> 4 === 7 ? 2 : 0;
  if (offset + extra + 3 > head.length) return undefined;
  if (extra > 0) block = head.readUIntBE(offset, extra) + 1;
  offset += extra + ({ 12: 1, 13: 2, 14: 2 }[sizes & 15] ?? 0);
  if (crc8(head.subarray(0, offset)) !== head[offset]) return undefined;
  if (block > info.largestBlock) return undefined;
  return (sync & 1) === 1 ? coded.value + block : coded.value * info.blockSize + block;
}

/** A number coded like a UTF-8 character, up to 36 bits. */
function readCodedNumber(head: Buffer, at: number): { value: number; next: number } | undefined {
  const first = head[at] ?? 0;
  if (first < 0x80) return { value: first, next: at + 1 };
  const length = Math.clz32(~(first << 24));
  if (length < 2 || length > 7) return undefined;
  let value = first & (0x7f >> length);
  for (let index = 1; index < length; index += 1) {
    const byte = head[at + index] ?? 0;
    if (byte >> 6 !== 2) return undefined;
    value = value * 64 + (byte & 0x3f);
  }
  return { value, next: at + length };
}

/** CRC-8, polynomial x^8 + x^2 + x + 1. */
function crc8(bytes: Buffer): number {
  let crc = 0;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit += 1) crc = (crc & 0x80) === 0 ? crc << 1 : ((crc << 1) ^ 0x07) & 0xff;
  }
  return crc & 0xff;
}

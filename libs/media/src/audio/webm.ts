import { type ByteSource, cutOff, UnreadableAudio } from './byte-source.ts';

/** Elements of Matroska (RFC 9559) that we look at. */
const ids = {
  ebml: 0x1a45dfa3,
  segment: 0x18538067,
  info: 0x1549a966,
  timestampScale: 0x2ad7b1,
  duration: 0x4489,
  tracks: 0x1654ae6b,
  trackEntry: 0xae,
  trackNumber: 0xd7,
  trackType: 0x83,
  cluster: 0x1f43b675,
  timestamp: 0xe7,
  simpleBlock: 0xa3,
  blockGroup: 0xa0,
  block: 0xa1,
} as const;
const soundType = 2;
/** Recorders write no length for the last packet; none is longer. */
const lastPacketS = 0.06;

/** Elements whose content is looked into; a cluster of unknown size ends where the next begins, so it needs no end. */
const containers = new Set<number>([ids.segment, ids.info, ids.tracks, ids.trackEntry, ids.cluster, ids.blockGroup]);

interface Element {
  readonly id: number;
  readonly start: number;
  /** undefined: the writer did not know. */
  readonly size: number | undefined;
}

/** Seconds of a WebM or Matroska recording: the time of its last packet of sound, or the header's if that is more. */
export function webmDuration(source: ByteSource): number {
  let scale = 1_000_000;
  let claimed = 0;
  let cluster = 0;
  let latest: number | undefined;
  let entry: { number: number; type: number } | undefined;
  const soundTracks = new Set<number>();
  const number = (element: Element): number => readUnsigned(source, element);
  for (let offset = 0; offset < source.size;) {
    const element = elementAt(source, offset);
    const { id, start, size } = element;
    if (size === undefined && !containers.has(id)) throw new UnreadableAudio('The WebM recording is damaged.');
    if (start + (size ?? 0) > source.size) throw cutOff();
    if (id === ids.timestampScale) scale = number(element);
    if (id === ids.duration) claimed = readFloat(source, element);
    if (id === ids.trackEntry) entry = { number: 0, type: 0 };
    if (entry && id === ids.trackNumber) entry.number = number(element);
    if (entry && id === ids.trackType) entry.type = number(element);
    if (entry?.type === soundType && entry.number > 0) soundTracks.add(entry.number);
    if (id === ids.timestamp) cluster = number(element);
    if (id === ids.simpleBlock || id === ids.block) {
      const track = variableInteger(source, start);
      if (track.value !== undefined && soundTracks.has(track.value)) {
        latest = Math.max(latest ?? 0, cluster + source.bytes(start + track.length, 2).readInt16BE(0));
      }
    }
    offset = containers.has(id) ? start : start + (size ?? 0);
  }
  if (soundTracks.size === 0) throw new UnreadableAudio('The file has no sound track.');
  if (latest === undefined) throw new UnreadableAudio('The recording holds no sound.');
  const secondsPerTick = scale / 1e9;
  return Math.max(latest * secondsPerTick + lastPacketS, claimed * secondsPerTick);
}

function elementAt(source: ByteSource, offset: number): Element {
  const first = source.bytes(offset, 1)[0] ?? 0;
  const idLength = Math.clz32(first << 24) + 1;
  if (idLength > 4) throw new UnreadableAudio('The WebM recording is damaged.');
  const id = source.bytes(offset, idLength).readUIntBE(0, idLength);
  const size = variableInteger(source, offset + idLength);
  return { id, start: offset + idLength + size.length, size: size.value };
}

/** EBML's variable-size integer; all ones means unknown. */
function variableInteger(source: ByteSource, offset: number): { value: number | undefined; length: number } {
  const first = source.bytes(offset, 1)[0] ?? 0;
  const length = Math.clz32(first << 24) + 1;
  if (length > 8) throw new UnreadableAudio('The WebM recording is damaged.');
  const bytes = source.bytes(offset, length);
  let value = BigInt(first & (0xff >> length));
  for (const byte of bytes.subarray(1)) value = (value << 8n) | BigInt(byte);
  return { value: value === (1n << BigInt(7 * length)) - 1n ? undefined : Number(value), length };
}

function readUnsigned(source: ByteSource, { start, size = 0 }: Element): number {
  return source.bytes(start, Math.min(size, 8)).reduce((sum, byte) => sum * 256 + byte, 0);
}

function readFloat(source: ByteSource, { start, size }: Element): number {
  if (size === 4) return source.bytes(start, 4).readFloatBE(0);
  return size === 8 ? source.bytes(start, 8).readDoubleBE(0) : 0;
}

import { type ByteSource, cutOff, UnreadableAudio } from './byte-source.ts';

interface Codec {
  readonly rate: number;
  /** Samples at the start that are not played. */
  readonly skip: number;
  /** More bits a second than this codec ever makes: the positions lie. */
  readonly maxBitRate: number;
}

/** A granule position of a page on which no packet ends. */
const noPosition = 0xffff_ffff_ffff_ffffn;

/** Seconds of an Ogg stream (RFC 3533): the position of its last page. */
export function oggDuration(source: ByteSource): number {
  let codec: Codec | undefined;
  let serial: number | undefined;
  let last = 0n;
  for (let offset = 0; offset < source.size;) {
    if (source.ascii(offset, 4) !== 'OggS') throw new UnreadableAudio('The Ogg recording is damaged.');
    const header = source.bytes(offset, 27);
    const position = header.readBigUInt64LE(6);
    const stream = header.readUInt32LE(14);
    const segments = header[26] ?? 0;
    const body = source.bytes(offset + 27, segments).reduce((sum, size) => sum + size, 0);
    const start = offset + 27 + segments;
    offset = start + body;
    if (offset > source.size) throw cutOff();
    if (codec === undefined) {
      codec = codecOf(source.bytes(start, body));
      serial = stream;
    } else if (stream === serial && position !== noPosition && position > last) last = position;
  }
  if (codec === undefined) throw new UnreadableAudio('The Ogg file holds no sound that can be transcribed.');
  const seconds = Math.max(0, Number(last) - codec.skip) / codec.rate;
  if (seconds > 0 && (source.size * 8) / seconds > codec.maxBitRate) {
    throw new UnreadableAudio('The Ogg recording is damaged: it holds more than its positions say.');
  }
  return seconds;
}

function codecOf(packet: Buffer): Codec | undefined {
  const text = packet.toString('latin1', 0, 8);
  if (text === 'OpusHead' && packet.length >= 19) {
    return { rate: 48_000, skip: packet.readUInt16LE(10), maxBitRate: 1_500_000 };
  }
  if (text.startsWith('\x01vorbis') && packet.length >= 16) return plain(packet.readUInt32LE(12), 2_000_000);
  if (text === 'Speex   ' && packet.length >= 40) return plain(packet.readUInt32LE(36), 500_000);
  // The mapping's header of 9 bytes, `fLaC`, a block header of 4, then STREAMINFO.
  if (text.startsWith('\x7fFLAC') && packet.length >= 31) return plain(packet.readUInt32BE(27) >>> 12, 40_000_000);
  return undefined;
}

function plain(rate: number, maxBitRate: number): Codec {
  if (rate < 1000 || rate > 768_000) throw new UnreadableAudio('The Ogg recording’s header is damaged.');
  return { rate, skip: 0, maxBitRate };
}

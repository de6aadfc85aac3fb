import { type ByteSource, cutOff, UnreadableAudio } from './byte-source.ts';

/** One box of an ISO base media file (ISO/IEC 14496-12). */
export interface Box {
  readonly type: string;
  /** Of its content. */
  readonly start: number;
  readonly end: number;
}

/** More boxes than any honest recording has on one level. */
const maxBoxes = 200_000;

/** The boxes between two offsets, one after the other. Throws UnreadableAudio when one ends behind `end`. */
export function* boxes(source: ByteSource, start: number, end: number): Generator<Box, void> {
  let seen = 0;
  for (let offset = start; offset + 8 <= end;) {
    seen += 1;
    if (seen > maxBoxes) throw new UnreadableAudio('The MP4 recording is damaged.');
    const header = source.bytes(offset, 8);
    const type = header.toString('latin1', 4, 8);
    const short = header.readUInt32BE(0);
    const head = short === 1 ? 16 : 8;
    // 1: the size follows in 64 bits; 0: to the end.
    const size =
      short === 0 ? end - offset : short === 1 ? Number(source.bytes(offset + 8, 8).readBigUInt64BE(0)) : short;
    if (size < head) throw new UnreadableAudio('The MP4 recording is damaged.');
    if (offset + size > end) throw cutOff();
    yield { type, start: offset + head, end: offset + size };
    offset += size;
  }
}

/** The first box of this type inside another. */
export function child(source: ByteSource, parent: Box, type: string): Box | undefined {
  for (const box of boxes(source, parent.start, parent.end)) if (box.type === type) return box;
  return undefined;
}

/** Follows types down from a box. */
export function descend(source: ByteSource, parent: Box, ...types: string[]): Box | undefined {
  return types.reduce<Box | undefined>((box, type) => (box ? child(source, box, type) : undefined), parent);
}

import { type ByteSource, cutOff, UnreadableAudio } from './byte-source.ts';

/** Bytes after each frame's type byte, by frame type; undefined: not in use (RFC 4867, section 5). */
const none = undefined;
const narrowBand = [12, 13, 15, 17, 19, 20, 26, 31, 5, none, none, none, none, none, none, 0];
const wideBand = [17, 23, 32, 36, 40, 46, 50, 58, 60, 5, none, none, none, none, 0, 0];
const frameSeconds = 0.02;

/** Seconds of an AMR or AMR-WB file with one channel: every frame is 20 ms. */
export function amrDuration(source: ByteSource, maxSeconds: number): number {
  const wide = source.ascii(0, 9) === '#!AMR-WB\n';
  const sizes = wide ? wideBand : narrowBand;
  let frames = 0;
  for (let offset = wide ? 9 : 6; offset < source.size && frames * frameSeconds <= maxSeconds; frames += 1) {
    const type = source.bytes(offset, 1)[0] ?? 0;
    const size = sizes[(type >> 3) & 15];
    if (size === undefined || (type & 0x83) !== 0) throw new UnreadableAudio('The AMR recording is damaged.');
    offset += 1 + size;
    if (offset > source.size) throw cutOff();
  }
  return frames * frameSeconds;
}

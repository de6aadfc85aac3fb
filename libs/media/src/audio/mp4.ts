import { type ByteSource, UnreadableAudio } from './byte-source.ts';
import { type Box, boxes, child, descend } from './mp4-boxes.ts';

interface SoundTrack {
  readonly id: number;
  /** Ticks a second. */
  readonly timescale: number;
  /** Ticks of the samples listed in the index; 0 for a fragmented file. */
  readonly indexed: number;
  /** Ticks of a fragment's sample, unless it says otherwise. */
  readonly defaultDuration: number;
}

/** Seconds of an MP4 or M4A recording: the sum of its samples' durations, not what a header claims. */
export function mp4Duration(source: ByteSource): number {
  let index: Box | undefined;
  const fragments: Box[] = [];
  let data = 0;
  for (const box of boxes(source, 0, source.size)) {
    if (box.type === 'moov') index = box;
    if (box.type === 'moof') fragments.push(box);
    if (box.type === 'mdat') data += box.end - box.start;
  }
  if (index === undefined) {
    throw new UnreadableAudio(
      'The recording was cut off before it was finished: its index (moov) is missing. Record or upload it again.',
    );
  }
  const track = soundTrack(source, index);
  if (track === undefined) throw new UnreadableAudio('The file has no sound track.');
  if (data === 0) throw new UnreadableAudio('The recording holds no sound: its data is missing.');
  const ticks = fragments.reduce((sum, fragment) => sum + fragmentTicks(source, fragment, track), track.indexed);
  return ticks / track.timescale;
}

/** `M4A ` and its kin: sound only. */
export const isM4a = (source: ByteSource): boolean => source.ascii(8, 3) === 'M4A' || source.ascii(8, 3) === 'M4B';

function soundTrack(source: ByteSource, index: Box): SoundTrack | undefined {
  for (const track of boxes(source, index.start, index.end)) {
    if (track.type !== 'trak') continue;
    const handler = descend(source, track, 'mdia', 'hdlr');
    if (handler === undefined || source.ascii(handler.start + 8, 4) !== 'soun') continue;
    const header = child(source, track, 'tkhd');
    const media = descend(source, track, 'mdia', 'mdhd');
    const times = descend(source, track, 'mdia', 'minf', 'stbl', 'stts');
    if (header === undefined || media === undefined || times === undefined) continue;
    const id = source.bytes(header.start + (isVersion1(source, header) ? 20 : 12), 4).readUInt32BE(0);
    const timescale = source.bytes(media.start + (isVersion1(source, media) ? 20 : 12), 4).readUInt32BE(0);
    if (timescale === 0) throw new UnreadableAudio('The MP4 recording’s header is damaged.');
    return { id, timescale, indexed: indexedTicks(source, times), defaultDuration: defaultTicks(source, index, id) };
  }
  return undefined;
}

const isVersion1 = (source: ByteSource, box: Box): boolean => source.bytes(box.start, 1)[0] === 1;

function indexedTicks(source: ByteSource, times: Box): number {
  const entries = source.bytes(times.start + 4, 4).readUInt32BE(0);
  const table = source.bytes(times.start + 8, Math.min(entries * 8, times.end - times.start - 8));
  let ticks = 0;
  for (let at = 0; at + 8 <= table.length; at += 8) ticks += table.readUInt32BE(at) * table.readUInt32BE(at + 4);
  return ticks;
}

function defaultTicks(source: ByteSource, index: Box, id: number): number {
  const extended = child(source, index, 'mvex');
  if (extended === undefined) return 0;
  for (const box of boxes(source, extended.start, extended.end)) {
    if (box.type !== 'trex') continue;
    const fields = source.bytes(box.start, 16);
    if (fields.readUInt32BE(4) === id) return fields.readUInt32BE(12);
  }
  return 0;
}

/** Ticks of the track's samples in one movie fragment. */
function fragmentTicks(source: ByteSource, fragment: Box, track: SoundTrack): number {
  let ticks = 0;
  for (const traf of boxes(source, fragment.start, fragment.end)) {
    if (traf.type !== 'traf') continue;
    const header = child(source, traf, 'tfhd');
    if (header === undefined || source.bytes(header.start + 4, 4).readUInt32BE(0) !== track.id) continue;
    const flags = source.bytes(header.start, 4).readUInt32BE(0);
    const at = header.start + 8 + ((flags & 1) === 0 ? 0 : 8) + ((flags & 2) === 0 ? 0 : 4);
    const standard = (flags & 8) === 0 ? track.defaultDuration : source.bytes(at, 4).readUInt32BE(0);
    for (const run of boxes(source, traf.start, traf.end)) {
      if (run.type === 'trun') ticks += runTicks(source, run, standard);
    }
  }
  return ticks;
}

function runTicks(source: ByteSource, run: Box, standard: number): number {
  const flags = source.bytes(run.start, 4).readUInt32BE(0);
  const samples = source.bytes(run.start + 4, 4).readUInt32BE(0);
  if ((flags & 0x100) === 0) return samples * standard;
  const start = run.start + 8 + ((flags & 1) === 0 ? 0 : 4) + ((flags & 4) === 0 ? 0 : 4);
  const width = [0x100, 0x200, 0x400, 0x800].filter((flag) => (flags & flag) !== 0).length * 4;
  const table = source.bytes(start, Math.min(samples * width, Math.max(0, run.end - start)));
  let ticks = 0;
  for (let at = 0; at + 4 <= table.length; at += width) ticks += table.readUInt32BE(at);
  return ticks;
}

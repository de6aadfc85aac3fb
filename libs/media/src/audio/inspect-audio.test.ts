import { spawnSync } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { ManuelError } from '@manuel/contracts';
import * as fc from 'fast-check';
import { inspectAudio } from './inspect-audio.ts';

/** Each container as ffmpeg writes it, and as browsers' recorders do (fragments, no lengths). */
const recordings: Readonly<Record<string, readonly [format: string, options: readonly string[]]>> = {
  'pcm.wav': ['wav', []],
  'mulaw.wav': ['wav', ['-c:a', 'pcm_mulaw']],
  'adpcm.wav': ['wav', ['-c:a', 'adpcm_ms']],
  'cbr.mp3': ['mp3', ['-b:a', '64k', '-id3v2_version', '3', '-metadata', 'title=x']],
  'vbr.mp3': ['mp3', ['-q:a', '5', '-write_id3v1', '1', '-metadata', 'title=x']],
  'low.mp3': ['mp3', ['-ar', '16000', '-b:a', '32k']],
  'plain.flac': ['flac', []],
  'opus.ogg': ['ogg', ['-c:a', 'libopus']],
  'vorbis.ogg': ['ogg', ['-c:a', 'libvorbis', '-ac', '2']],
  'flac.ogg': ['ogg', ['-c:a', 'flac']],
  'plain.m4a': ['m4a', ['-c:a', 'aac']],
  'plain.mp4': ['mp4', ['-c:a', 'aac', '-movflags', '+faststart']],
  'fragmented.mp4': ['mp4', ['-c:a', 'aac', '-movflags', '+frag_keyframe+empty_moov', '-frag_duration', '500000']],
  'plain.webm': ['webm', ['-c:a', 'libopus']],
  'live.webm': ['webm', ['-c:a', 'libopus', '-live', '1', '-cluster_time_limit', '1000']],
};
const seconds = 3.2;
let dir: string;
const files = new Map<string, Buffer>();

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'audio-'));
  const tone = ['-f', 'lavfi', '-i', `sine=frequency=440:sample_rate=44100:duration=${seconds}`];
  for (const [name, [, options]] of Object.entries(recordings)) {
    const made = spawnSync('ffmpeg', ['-v', 'error', '-y', ...tone, ...options, join(dir, name)], { encoding: 'utf8' });
    if (made.error) throw new Error('this test needs ffmpeg: install the package ffmpeg', { cause: made.error });
    if (made.status !== 0) throw new Error(`${name}: ${made.stderr}`);
    files.set(name, await readFile(join(dir, name)));
  }
});
afterAll(() => rm(dir, { recursive: true }));

const bytesOf = (name: string): Buffer => {
  const bytes = files.get(name);
  if (bytes === undefined) throw new Error(`no ${name}`);
  return bytes;
};
/** The facts, or the error's code. Any other error fails the test. */
function look(bytes: Uint8Array): { format?: string; durationS?: number; code?: string } {
  try {
    return inspectAudio(bytes);
  } catch (error) {
    if (error instanceof ManuelError) return { code: error.code };
    throw error;
  }
}
const refusal = (code: string, detail: RegExp) =>
  expect.objectContaining({ code, detail: expect.stringMatching(detail) });
function refused(bytes: Uint8Array, code: string, detail: RegExp): void {
  let failure: unknown;
  try {
    inspectAudio(bytes);
  } catch (error) {
    failure = error;
  }
  expect(failure).toEqual(refusal(code, detail));
}

test.each(Object.entries(recordings))('%s: its format and how long it is', async (name, [format]) => {
  const facts = inspectAudio(bytesOf(name));
  expect(facts.format).toBe(format);
  expect(Math.abs(facts.durationS - seconds)).toBeLessThan(0.15);
  expect(inspectAudio({ path: join(dir, name) })).toEqual(facts);
  expect(inspectAudio(bytesOf(name), { maxDurationS: 4 })).toEqual(facts);
  expect(() => inspectAudio(bytesOf(name), { maxDurationS: 2 })).toThrow(/longer than the 2 seconds/);
});

test('AMR and AMR-WB: 20 ms a frame', () => {
  const frames = (magic: string, type: number, size: number, count: number): Buffer =>
    Buffer.concat([
      Buffer.from(magic),
      ...Array.from({ length: count }, () => Buffer.concat([Buffer.from([(type << 3) | 4]), Buffer.alloc(size)])),
    ]);
  const narrow = inspectAudio(frames('#!AMR\n', 7, 31, 100));
  expect(narrow.format).toBe('amr');
  expect(narrow.durationS).toBeCloseTo(2);
  expect(inspectAudio(frames('#!AMR-WB\n', 2, 32, 50)).durationS).toBeCloseTo(1);
  refused(frames('#!AMR\n', 7, 31, 100).subarray(0, 500), 'audio_unreadable', /cut off/);
  refused(frames('#!AMR\n', 12, 5, 100), 'audio_unreadable', /damaged/);
});

test.each(['pcm.wav', 'plain.flac', 'opus.ogg', 'plain.m4a', 'plain.mp4', 'plain.webm'])(
  '%s cut off anywhere is refused, or is as long as what is left',
  (name) => {
    const bytes = bytesOf(name);
    for (const share of [0.01, 0.1, 0.3, 0.5, 0.8, 0.95, 0.999]) {
      const cut = look(bytes.subarray(0, Math.floor(bytes.length * share)));
      // Ogg may end at any page: what is left is whole, only shorter.
      if (cut.code === undefined) expect(cut.durationS).toBeLessThan(seconds * share + 0.1);
      else expect(cut.code).toBe('audio_unreadable');
    }
  },
);

test('a cut-off MP3 lasts as long as its frames, whatever its header says', () => {
  const bytes = bytesOf('cbr.mp3');
  const half = look(bytes.subarray(0, bytes.length / 2));
  expect(half.durationS).toBeGreaterThan(seconds * 0.4);
  expect(half.durationS).toBeLessThan(seconds * 0.6);
});

test('headers that lie are not believed', () => {
  const huge = Buffer.from(bytesOf('pcm.wav'));
  huge.writeUInt32LE(0xffff_ffff, huge.indexOf('data') + 4);
  refused(huge, 'audio_unreadable', /cut off/);
  const wrong = Buffer.from(bytesOf('pcm.wav'));
  wrong.writeUInt16LE(77, 32);
  refused(wrong, 'audio_unreadable', /damaged/);
  // A FLAC that says it has one sample.
  const short = Buffer.from(bytesOf('plain.flac'));
  short.writeUInt32BE(1, 4 + 4 + 14);
  refused(short, 'audio_unreadable', /cut off/);
  // An MP4 that says that the film lasts no time: the samples are counted.
  const film = Buffer.from(bytesOf('plain.mp4'));
  film.writeUInt32BE(0, film.indexOf('mvhd') + 20);
  film.writeUInt32BE(0, film.indexOf('mdhd') + 20);
  expect(Math.abs(inspectAudio(film).durationS - seconds)).toBeLessThan(0.15);
  // An Ogg whose last page says that little was played.
  const ogg = Buffer.from(bytesOf('opus.ogg'));
  for (let at = ogg.indexOf('OggS'); at >= 0; at = ogg.indexOf('OggS', at + 4)) ogg.writeBigUInt64LE(4000n, at + 6);
  refused(ogg, 'audio_unreadable', /damaged/);
});

test('what is no recording is refused in words', () => {
  refused(Buffer.alloc(0), 'audio_unreadable', /0 bytes/);
  refused(Buffer.from('This is a text that somebody named speech.mp3. '.repeat(200)), 'audio_unreadable', /Supported/);
  refused(Buffer.from(`ID3${'not a tag, only text '.repeat(500)}`), 'audio_unreadable', /MP3/);
  refused(Buffer.alloc(100_000, 0xff), 'audio_unreadable', /./);
  refused(Buffer.from('RIFF\x10\0\0\0WAVE'), 'audio_unreadable', /no sound/);
  const header = bytesOf('pcm.wav').subarray(0, bytesOf('pcm.wav').indexOf('data') + 8);
  const empty = Buffer.from(header);
  empty.writeUInt32LE(0, empty.length - 4);
  refused(empty, 'audio_unreadable', /no sound/);
});

test('a film without sound has nothing to transcribe', async () => {
  for (const name of ['silent.mp4', 'silent.webm']) {
    const options = name.endsWith('webm') ? ['-c:v', 'libvpx'] : [];
    const source = ['-f', 'lavfi', '-i', 'color=size=32x32:duration=0.5'];
    spawnSync('ffmpeg', ['-v', 'error', '-y', ...source, ...options, join(dir, name)]);
    refused(await readFile(join(dir, name)), 'audio_unreadable', /no sound track/);
  }
});

test('a long file is read in windows', async () => {
  const path = join(dir, 'long.wav');
  const tone = ['-f', 'lavfi', '-i', 'anoisesrc=sample_rate=44100:duration=60'];
  spawnSync('ffmpeg', ['-v', 'error', '-y', ...tone, path]);
  const mp3 = join(dir, 'long.mp3');
  spawnSync('ffmpeg', ['-v', 'error', '-y', '-i', path, '-b:a', '320k', mp3]);
  expect(inspectAudio({ path }).durationS).toBeCloseTo(60, 1);
  expect(inspectAudio({ path: mp3 }).durationS).toBeCloseTo(60, 0);
});

test('no bytes whatever bring anything but facts or a clear refusal', () => {
  const names = [...files.keys()];
  const damage = fc.array(fc.record({ at: fc.double({ min: 0, max: 0.999, noNaN: true }), byte: fc.nat(255) }), {
    minLength: 1,
    maxLength: 8,
  });
  fc.assert(
    fc.property(
      fc.constantFrom(...names),
      damage,
      fc.double({ min: 0.2, max: 1, noNaN: true }),
      (name, bytes, keep) => {
        const original = bytesOf(name);
        const copy = Buffer.from(original.subarray(0, Math.floor(original.length * keep)));
        // Half of the damage goes to the first kilobyte, where the headers are.
        bytes.forEach(({ at, byte }, index) => {
          copy[Math.floor((index % 2 === 0 ? Math.min(1024, copy.length) : copy.length) * at)] = byte;
        });
        const { code, durationS } = look(copy);
        expect(code === undefined ? durationS : code).toEqual(
          code === undefined ? expect.any(Number) : 'audio_unreadable',
        );
      },
    ),
    { numRuns: 400 },
  );
});

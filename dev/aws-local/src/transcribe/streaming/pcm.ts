const HEADER_BYTES = 44;
const BYTES_PER_SAMPLE = 2;

/** PCM of 16 bits and one channel as a WAV file. */
export function pcmToWav(pcm: Buffer, sampleRate: number): Buffer {
  const header = Buffer.alloc(HEADER_BYTES);
  header.write('RIFF', 0);
  header.writeUInt32LE(HEADER_BYTES - 8 + pcm.length, 4);
  header.write('WAVEfmt ', 8);
  header.writeUInt32LE(16, 16);
  header.writeUInt16LE(1, 20);
  header.writeUInt16LE(1, 22);
  header.writeUInt32LE(sampleRate, 24);
  header.writeUInt32LE(sampleRate * BYTES_PER_SAMPLE, 28);
  header.writeUInt16LE(BYTES_PER_SAMPLE, 32);
  header.writeUInt16LE(BYTES_PER_SAMPLE * 8, 34);
  header.write('data', 36);
  header.writeUInt32LE(pcm.length, 40);
  return Buffer.concat([header, pcm]);
}

export const secondsOf = (bytes: number, sampleRate: number): number => bytes / (sampleRate * BYTES_PER_SAMPLE);
export const bytesOf = (seconds: number, sampleRate: number): number =>
  Math.floor(seconds * sampleRate) * BYTES_PER_SAMPLE;

const WINDOW_S = 0.05;
/** A pause is quieter than this share of the loudest window, for at least as long as the other says. */
const QUIET = 0.1;
const PAUSE_S = 0.4;
/** Sound that is worth a segment of its own. */
const LEAST_S = 8;
/** From here on it is cut at the quietest place, pause or not. */
const MOST_S = 25;

/**
 * Where a long piece of speech can be cut in two, in bytes; undefined: nowhere yet. What was said before a pause does not
 * change any more, and recognising it again and again would take ever longer.
 */
export function findCut(pcm: Buffer, sampleRate: number): number | undefined {
  if (secondsOf(pcm.length, sampleRate) < LEAST_S) return undefined;
  const windows = loudness(pcm, bytesOf(WINDOW_S, sampleRate));
  const quiet = Math.max(...windows) * QUIET;
  const long = Math.round(PAUSE_S / WINDOW_S);
  let run = 0;
  for (let index = windows.length - 1; index * WINDOW_S >= LEAST_S / 2; index -= 1) {
    run = (windows[index] ?? 0) <= quiet ? run + 1 : 0;
    if (run === long) return (index + Math.floor(long / 2)) * bytesOf(WINDOW_S, sampleRate);
  }
  if (secondsOf(pcm.length, sampleRate) < MOST_S) return undefined;
  const from = Math.floor(windows.length / 2);
  const tail = windows.slice(from);
  return (from + tail.indexOf(Math.min(...tail))) * bytesOf(WINDOW_S, sampleRate);
}

/** Mean square of each whole window. */
function loudness(pcm: Buffer, windowBytes: number): number[] {
  const windows: number[] = [];
  for (let start = 0; start + windowBytes <= pcm.length; start += windowBytes) {
    let sum = 0;
    for (let at = start; at < start + windowBytes; at += BYTES_PER_SAMPLE) sum += pcm.readInt16LE(at) ** 2;
    windows.push(Math.sqrt(sum / (windowBytes / BYTES_PER_SAMPLE)));
  }
  return windows;
}

import { readFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { type JobView, serverMessageSchema } from '@manuel/contracts';
import { WebSocket } from 'ws';
import { type Client, ProblemError } from './client.ts';

/** Milliseconds of sound in a frame, as a recorder would send it. */
const frameMs = 100;
const headerBytes = 44;

interface Samples {
  readonly rate: number;
  readonly pcm: Buffer;
}

async function readSamples(path: string): Promise<Samples> {
  const wav = await readFile(path);
  const isWav = wav.toString('latin1', 0, 4) === 'RIFF' && wav.toString('latin1', 8, 12) === 'WAVE';
  const data = wav.indexOf('data', headerBytes - 8, 'latin1');
  if (!isWav || data < 0 || wav.readUInt16LE(20) !== 1 || wav.readUInt16LE(22) !== 1 || wav.readUInt16LE(34) !== 16) {
    throw new Error(`${path}: not a mono WAV of 16 bits; make one with: ffmpeg -i FILE -ac 1 -c:a pcm_s16le live.wav`);
  }
  return { rate: wav.readUInt32LE(24), pcm: wav.subarray(data + 8, data + 8 + wav.readUInt32LE(data + 4)) };
}

/**
 * Plays a WAV file into a live microphone as if it were spoken now, `speed` times as fast. Resolves with the voice job that
 * the service makes of it; throws its problem.
 */
export async function askLive(
  client: Client,
  path: string,
  options: { readonly speed?: number; readonly onPartial: (text: string) => void } & Record<string, unknown>,
): Promise<JobView> {
  const { speed = 1, onPartial, ...fields } = options;
  const { rate, pcm } = await readSamples(path);
  const socket = new WebSocket(`${client.url.replace('http', 'ws')}/ws`, {
    headers: { authorization: `Bearer ${client.token}` },
    handshakeTimeout: 10_000,
  });
  const answer = Promise.withResolvers<JobView>();
  // Whatever ends the connection ends the wait.
  socket.on('error', (error) => answer.reject(error));
  socket.on('close', (code, reason) =>
    answer.reject(new Error(`The connection was closed: ${code} ${reason.toString()}`)),
  );
  socket.on('message', (data: Buffer) => {
    const message = serverMessageSchema.parse(JSON.parse(data.toString('utf8')));
    if (message.type === 'partial') onPartial(message.text);
    if (message.type === 'accepted') answer.resolve(message.job);
    if (message.type === 'error') answer.reject(new ProblemError(message.problem));
  });
  const ended = new AbortController();
  const speak = async (): Promise<void> => {
    socket.send(JSON.stringify({ type: 'audio_start', content_type: 'audio/pcm', sample_rate: rate, ...fields }));
    const bytes = Math.round((rate * frameMs) / 1000) * 2;
    for (let from = 0; from < pcm.length && !ended.signal.aborted; from += bytes) {
      socket.send(pcm.subarray(from, from + bytes));
      await delay(frameMs / speed);
    }
    socket.send(JSON.stringify({ type: 'audio_end' }));
  };
  socket.once('open', () => void speak().catch(answer.reject));
  try {
    return await answer.promise;
  } finally {
    ended.abort();
    socket.terminate();
  }
}

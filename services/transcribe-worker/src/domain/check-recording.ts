import { audioTypes, ManuelError } from '@manuel/contracts';
import { inspectAudio, isSameAudio } from '@manuel/media';
import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Outside, RecordingFacts } from './outside.ts';
import { ownAudioKey, type Recording } from './recording.ts';

/**
 * Reads the recording once: that it is the one that was announced, what its bytes are, how long it is. Through a file, so
 * that a worker's memory does not grow with it. Throws `upload_missing`, `upload_mismatch`, `payload_too_large`,
 * `audio_unreadable`, `audio_too_long`, `unsupported_media_type`.
 */
export async function checkRecording(outside: Outside, recording: Recording): Promise<RecordingFacts> {
  const { settings, s3 } = outside;
  const { source, signal } = recording;
  const place = { bucket: settings.storage.audio_bucket, key: ownAudioKey(settings, recording) };
  const found = await s3.getObjectStream({
    ...place,
    signal,
    ...(source.etag === undefined ? {} : { ifMatch: source.etag }),
  });
  if (found === undefined) {
    throw new ManuelError(
      'upload_missing',
      'The recording never arrived, or it was removed. Upload it, then ask again.',
    );
  }
  const maxBytes = settings.transcribe.max_size_mb * 1024 * 1024;
  if (found.facts.size > maxBytes) {
    found.stream.destroy();
    throw new ManuelError(
      'payload_too_large',
      `The recording is larger than the ${settings.transcribe.max_size_mb} MB allowed.`,
    );
  }
  const dir = await mkdtemp(join(tmpdir(), 'manuel-audio-'));
  try {
    const path = join(dir, 'recording');
    const hash = createHash('sha256');
    const tap = new Transform({
      transform(chunk: Buffer, _encoding, done) {
        hash.update(chunk);
        done(null, chunk);
      },
    });
    await pipeline(found.stream, tap, createWriteStream(path), { signal });
    const sha256 = hash.digest('hex');
    if (source.audio_sha256 !== undefined && source.audio_sha256 !== sha256) throw changed();
    const { format, durationS } = inspectAudio({ path }, { maxDurationS: settings.transcribe.max_duration_s });
    const announced = audioTypes[source.content_type];
    if (!isSameAudio(format, announced)) {
      throw new ManuelError(
        'unsupported_media_type',
        `The recording is ${format}, but content_type says ${announced}. Send the type that the bytes have.`,
      );
    }
    return { format, duration_s: Math.round(durationS * 1000) / 1000, sha256 };
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

/** After Transcribe has read it: whether it is still the object that was checked. */
export async function checkUnchanged(outside: Outside, recording: Recording): Promise<void> {
  const { etag } = recording.source;
  // What the gateway stored itself, nobody has a link to.
  if (etag === undefined || recording.source.audio_sha256 !== undefined) return;
  const { settings, s3 } = outside;
  const place = { bucket: settings.storage.audio_bucket, key: ownAudioKey(settings, recording) };
  const now = await s3.headObject({ ...place, signal: recording.signal });
  if (now?.etag !== etag) throw changed();
}

const changed = (): ManuelError =>
  new ManuelError('upload_mismatch', 'The recording was replaced after it was submitted. Submit the new one.');

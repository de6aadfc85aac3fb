import { randomUUID } from 'node:crypto';
import { type AudioFormat, ManuelError, type TranscribeRequest, audioTypes } from '@manuel/contracts';
import type { Caller } from './caller.ts';
import { sha256Hex } from './canonical-json.ts';
import { decodeBase64 } from './decode-base64.ts';
import type { Outside } from './outside.ts';

/** A recording in the audio bucket, as a job's payload names it. */
export interface StoredRecording {
  readonly audio_key: string;
  readonly content_type: keyof typeof audioTypes;
  readonly audio_sha256?: string;
  readonly etag?: string;
  /** Takes the object away again, when no job came to own it. */
  discard(): Promise<void>;
}

type AudioInput = Pick<TranscribeRequest, 'audio_data' | 'audio_key' | 'content_type'>;

const megabyte = 1024 * 1024;

/** Formats that share a container, so that one may be announced as the other. */
const sameContainer: Readonly<Partial<Record<AudioFormat, readonly AudioFormat[]>>> = {
  mp4: ['m4a'],
  m4a: ['mp4'],
};

/** The announced type, or the true one where the bytes say something else of the same family. Throws `unsupported_media_type`. */
function typeOf(announced: keyof typeof audioTypes, found: AudioFormat): keyof typeof audioTypes {
  const format = audioTypes[announced];
  if (format === found || sameContainer[found]?.includes(format)) return announced;
  throw new ManuelError(
    'unsupported_media_type',
    `The recording is ${found}, but content_type says ${format}. Send the type that the bytes have.`,
  );
}

/**
 * Checks a recording of the request's body and stores it under its owner's prefix, or finds the one that was uploaded before.
 * Throws `validation_failed`, `payload_too_large`, `audio_unreadable`, `audio_too_long`, `unsupported_media_type`,
 * `not_found`, `upload_missing` or `upload_mismatch`; then nothing is stored.
 */
export async function storeRecording(outside: Outside, caller: Caller, input: AudioInput): Promise<StoredRecording> {
  if (input.audio_data !== undefined) return storeBytes(outside, caller, input.audio_data, input.content_type);
  return findUpload(outside, caller, input.audio_key ?? '', input.content_type);
}

async function storeBytes(
  outside: Outside,
  caller: Caller,
  base64: string,
  announced: keyof typeof audioTypes,
): Promise<StoredRecording> {
  const { transcribe, storage } = outside.settings;
  const bytes = decodeBase64(base64, 'audio_data');
  if (bytes.length > transcribe.max_size_mb * megabyte) throw tooLarge(transcribe.max_size_mb);
  const facts = outside.inspectAudio(bytes, { maxDurationS: transcribe.max_duration_s });
  const contentType = typeOf(announced, facts.format);
  // Nothing is stored for a job that could not be admitted anyway.
  await outside.admitter.ping();
  const key = `${storage.audio_prefix}/${caller.userId}/${randomUUID()}.${facts.format}`;
  const { etag } = await outside.s3.putObject({ bucket: storage.audio_bucket, key, body: bytes, contentType });
  return {
    audio_key: key,
    content_type: contentType,
    audio_sha256: sha256Hex(bytes),
    etag,
    discard: () => outside.s3.deleteObjects(storage.audio_bucket, [key]),
  };
}

async function findUpload(
  outside: Outside,
  caller: Caller,
  key: string,
  announced: keyof typeof audioTypes,
): Promise<StoredRecording> {
  const { storage } = outside.settings;
  const uploadId = /\/(upl_[0-9A-Z]{26})\.[a-z0-9]+$/.exec(key)?.[1];
  const upload = uploadId === undefined ? undefined : await outside.ledger.uploads.get(caller.userId, uploadId);
  if (!upload || upload.kind !== 'audio' || upload.key !== key) {
    throw new ManuelError('not_found', 'There is no such upload. Take the key that POST /api/uploads gave you.');
  }
  const object = await outside.s3.headObject({ bucket: storage.audio_bucket, key });
  if (!object) {
    throw new ManuelError(
      'upload_missing',
      'The recording never arrived. Upload it to the link first, then ask again.',
    );
  }
  if (object.size !== upload.size || object.content_type !== upload.content_type) {
    throw new ManuelError('upload_mismatch', 'The uploaded recording has another size or type than announced.');
  }
  if (audioTypes[announced] !== audioTypes[upload.content_type as keyof typeof audioTypes]) {
    throw new ManuelError(
      'upload_mismatch',
      `The upload was announced as ${upload.content_type}. Name the same type here.`,
    );
  }
  return { audio_key: key, content_type: announced, etag: object.etag, discard: async () => undefined };
}

const tooLarge = (limitMb: number): ManuelError =>
  new ManuelError('payload_too_large', `The recording is larger than ${limitMb} MB.`);

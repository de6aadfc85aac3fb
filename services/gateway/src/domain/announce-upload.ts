import {
  ManuelError,
  type UploadRequest,
  type UploadView,
  audioTypes,
  manualTypes,
  newUploadId,
} from '@manuel/contracts';
import { displayFilename } from '@manuel/media';
import type { Caller } from './caller.ts';
import type { Outside } from './outside.ts';

const megabyte = 1024 * 1024;

/** A link by which exactly this size and type can be put into the owner's prefix. Throws `payload_too_large`. */
export async function announceUpload(outside: Outside, caller: Caller, body: UploadRequest): Promise<UploadView> {
  const { storage, transcribe, ingest } = outside.settings;
  const limitMb = body.kind === 'audio' ? transcribe.max_size_mb : ingest.max_size_mb;
  if (body.size > limitMb * megabyte) {
    throw new ManuelError('payload_too_large', `At most ${limitMb} MB are taken.`, {
      errors: [{ path: 'size', message: `is more than ${limitMb} MB` }],
    });
  }
  const upload_id = newUploadId();
  const place =
    body.kind === 'audio'
      ? { bucket: storage.audio_bucket, prefix: storage.audio_prefix, extension: audioTypes[body.content_type] }
      : { bucket: storage.manuals_bucket, prefix: storage.uploads_prefix, extension: manualTypes[body.content_type] };
  const key = `${place.prefix}/${caller.userId}/${upload_id}.${place.extension}`;
  const link = await outside.s3.presignPut({
    bucket: place.bucket,
    key,
    contentType: body.content_type,
    size: body.size,
  });
  await outside.ledger.uploads.create({
    user_id: caller.userId,
    upload_id,
    kind: body.kind,
    key,
    content_type: body.content_type,
    size: body.size,
    ...(body.filename === undefined ? {} : { filename: displayFilename(body.filename) }),
    created_at: Date.now(),
  });
  return {
    upload_id,
    key,
    url: link.url,
    method: link.method,
    headers: { ...link.headers },
    expires_at: new Date(link.expires_at).toISOString(),
  };
}

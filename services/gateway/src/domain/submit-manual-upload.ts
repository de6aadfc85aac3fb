import { ManuelError, derivedId } from '@manuel/contracts';
import { displayFilename } from '@manuel/media';
import type { Caller } from './caller.ts';
import type { Outside } from './outside.ts';
import type { Idempotency, Submitted } from './submission.ts';
import { checkPriority } from './submission.ts';
import { type ManualOptions, admitManual, checkReplaced, stateOfManual } from './submit-manual.ts';

/**
 * Takes in a manual that was uploaded to a presigned link. The manual's id comes from the upload's, so that announcing it
 * twice makes one manual. Throws `not_found`, `upload_missing` or `upload_mismatch`.
 */
export async function submitManualUpload(
  outside: Outside,
  caller: Caller,
  upload: { upload_id: string; filename: string },
  options: ManualOptions,
  idempotency?: Idempotency,
): Promise<Submitted> {
  checkPriority(caller, options.priority);
  const filename = displayFilename(upload.filename);
  const announced = await outside.ledger.uploads.get(caller.userId, upload.upload_id);
  if (!announced || announced.kind !== 'manual') {
    throw new ManuelError('not_found', 'There is no such upload. Announce it with POST /api/uploads first.');
  }
  await checkReplaced(outside, caller, options.replaces);
  const manualId = `man_${derivedId(caller.userId, upload.upload_id)}`;
  const existing = await outside.ledger.manuals.get(caller.userId, manualId);
  const before = existing ? await stateOfManual(outside, caller, existing) : undefined;
  if (before) return before;
  const { key } = announced;
  const object = await outside.s3.headObject({ bucket: outside.settings.storage.manuals_bucket, key });
  if (!object) {
    throw new ManuelError('upload_missing', 'The manual never arrived. Upload it to the link first, then announce it.');
  }
  if (object.size !== announced.size || object.content_type !== announced.content_type) {
    throw new ManuelError('upload_mismatch', 'The uploaded manual has another size or type than announced.');
  }
  return admitManual(outside, caller, {
    row: { manual_id: manualId, filename, content_type: announced.content_type, bytes: object.size },
    method: 'presigned',
    source: { kind: 'object', key, etag: object.etag },
    options,
    idempotency,
    // The object is the client's upload: a refused job may be submitted again.
    discard: async () => undefined,
  });
}

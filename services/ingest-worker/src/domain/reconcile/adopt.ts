import { derivedId } from '@manuel/contracts';
import { displayFilename, sidecarKey, stagingPrefix } from '@manuel/media';
import type { Outside } from '../outside.ts';
import { s3Uri } from '../s3-uri.ts';

export interface Adoption {
  readonly key: string;
  readonly manualId: string;
  /** ready: the manual is there and the original is gone. failed: see the reason; the original is where it was. */
  readonly outcome: 'ready' | 'failed' | 'under way';
  readonly reason?: string;
}

/**
 * Gives a document from before an owner: its bytes go through the same ingest as any upload, and only when that manual is
 * ready is the original removed. Done again it goes on where it was, because the manual's id comes from the key.
 */
export async function adopt(outside: Outside, userId: string, key: string): Promise<Adoption> {
  const { s3, ledger, followers, settings } = outside;
  const bucket = settings.storage.manuals_bucket;
  const manualId = `man_${derivedId('adopted', userId, key)}`;
  const row = await ledger.manuals.get(userId, manualId);
  if (row?.status === 'ready') {
    await outside.index.remove(s3Uri(bucket, key), userId);
    await s3.deleteObjects(bucket, [key]);
    await s3.deleteObjects(bucket, [sidecarKey(key)]);
    return { key, manualId, outcome: 'ready' };
  }
  if (row?.status === 'failed')
    return { key, manualId, outcome: 'failed', ...(row.error ? { reason: row.error.detail } : {}) };
  if (!row) {
    const staged = `${stagingPrefix(settings.storage, userId)}${manualId}`;
    const copied = await s3.copyObject({
      from: { bucket, key },
      to: { bucket, key: staged },
      contentType: 'application/octet-stream',
    });
    if (!copied) return { key, manualId, outcome: 'failed', reason: 'The document is gone.' };
    const filename = displayFilename(key);
    const now = Date.now();
    await ledger.manuals.create({
      user_id: userId,
      manual_id: manualId,
      filename,
      content_type: 'application/octet-stream',
      bytes: 0,
      pages: 0,
      status: 'processing',
      created_at: now,
      updated_at: now,
      upload_method: 'adopt',
    });
    await followers.ingestLater(userId, {
      manualId,
      source: { kind: 'object', key: staged },
      method: 'adopt',
      filename,
    });
  }
  return { key, manualId, outcome: 'under way' };
}

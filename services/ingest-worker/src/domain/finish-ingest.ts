import type { IngestResult } from '@manuel/contracts';
import type { ManualRow } from '@manuel/ledger';
import { isOwnStagingKey } from '@manuel/media';
import { deletedMeanwhile } from './deleted-meanwhile.ts';
import type { Outside, Work } from './outside.ts';
import { s3Uri } from './s3-uri.ts';

/**
 * The manual can be found: it becomes ready, and then the one it replaces goes, so that there is never a moment without
 * either. Each part may be done again after a crash.
 */
export async function finishIngest(outside: Outside, work: Work<'ingest'>, row: ManualRow): Promise<IngestResult> {
  const { ledger, settings, index } = outside;
  const ready = await ledger.manuals.update(
    row.user_id,
    row.manual_id,
    { status: 'ready', error: null },
    { status: ['processing', 'ready', 'failed'] },
  );
  if (!ready) throw deletedMeanwhile();
  await retireReplaced(outside, work);
  await outside.followers.manualsChanged(row.user_id);
  await outside.followers.warmUp(row.user_id);
  if (row.s3_key !== undefined) await index.forget(s3Uri(settings.storage.manuals_bucket, row.s3_key));
  await discardUpload(outside, work);
  return resultOf(ready);
}

/** Takes the manual that this one replaces out of every search and queues its deletion. */
export async function retireReplaced(outside: Outside, work: Work<'ingest'>): Promise<void> {
  const { manual_id, replaces } = work.payload;
  if (replaces === undefined || replaces === manual_id) return;
  const old = await outside.ledger.manuals.update(
    work.userId,
    replaces,
    { status: 'deleting' },
    { status: ['ready', 'processing', 'failed', 'deleting'] },
  );
  if (old) await outside.followers.deleteLater(work.userId, replaces);
}

/** What the client uploaded has been stored, or will never be. A key that is not the user's own is left alone. */
export async function discardUpload(outside: Outside, work: Pick<Work<'ingest'>, 'payload' | 'userId'>): Promise<void> {
  const { source } = work.payload;
  const { storage } = outside.settings;
  if (source.kind !== 'object' || !isOwnStagingKey(storage, work.userId, source.key)) return;
  await outside.s3.deleteObjects(storage.manuals_bucket, [source.key]);
}

export const resultOf = ({ manual_id, filename, pages, bytes }: ManualRow): IngestResult => ({
  manual_id,
  filename,
  pages,
  bytes,
  status: 'ready',
});

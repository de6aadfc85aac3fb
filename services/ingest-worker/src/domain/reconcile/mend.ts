import { parseManualKey, sidecarKey } from '@manuel/media';
import type { ManualRow } from '@manuel/ledger';
import type { Outside } from '../outside.ts';
import { s3Uri } from '../s3-uri.ts';
import { writeSidecar } from '../store-manual.ts';
import type { Finding } from './compare.ts';

/** Sets one thing right. Safe to do again; what takes long becomes a job. */
export async function mend(outside: Outside, finding: Finding): Promise<void> {
  const { s3, ledger, followers, settings } = outside;
  const bucket = settings.storage.manuals_bucket;
  const { kind, key = '', row } = finding;
  switch (kind) {
    case 'unowned_document':
      return;
    case 'object_without_row':
    case 'index_without_object': {
      const owner = parseManualKey(settings.storage, key)?.userId ?? 'nobody';
      await outside.index.remove(s3Uri(bucket, key), owner);
      // The object before its sidecar: never the one without the other's protection.
      await s3.deleteObjects(bucket, [key]);
      await s3.deleteObjects(bucket, [sidecarKey(key)]);
      return;
    }
    case 'sidecar_without_object':
      return s3.deleteObjects(bucket, [sidecarKey(key)]);
    case 'forgotten_upload':
      return s3.deleteObjects(bucket, [key]);
    case 'object_without_sidecar':
      if (!row) return;
      await writeSidecar(outside, row, key, key.split('.').at(-1) ?? '');
      return followers.ingestLater(row.user_id, {
        manualId: row.manual_id,
        source: { kind: 'stored' },
        method: 'reindex',
      });
    case 'row_without_object':
      if (row) await markLost(row);
      return;
    case 'not_indexed':
      if (row) {
        await followers.ingestLater(row.user_id, {
          manualId: row.manual_id,
          source: { kind: 'stored' },
          method: 'reindex',
        });
      }
      return;
    case 'unfinished_ingest':
      if (!row) return;
      if (row.s3_key === undefined && row.source_url === undefined) return markLost(row);
      return followers.ingestLater(row.user_id, {
        manualId: row.manual_id,
        source: { kind: 'stored' },
        method: 'reindex',
      });
    case 'unfinished_deletion':
      if (row) await followers.deleteLater(row.user_id, row.manual_id);
      return;
  }

  async function markLost(lost: ManualRow): Promise<void> {
    const error = { code: 'upload_missing' as const, detail: 'The file of this manual was lost. Upload it again.' };
    await ledger.manuals.update(
      lost.user_id,
      lost.manual_id,
      { status: 'failed', error },
      { status: ['ready', 'processing'] },
    );
    await followers.manualsChanged(lost.user_id);
  }
}

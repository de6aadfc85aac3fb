import { ManuelError, type ManualView } from '@manuel/contracts';
import type { ManualRow } from '@manuel/ledger';
import type { Caller } from './caller.ts';
import { findManual } from './find-manual.ts';
import type { Outside } from './outside.ts';

export const toManualView = (row: ManualRow): ManualView => ({
  manual_id: row.manual_id,
  filename: row.filename,
  content_type: row.content_type,
  bytes: row.bytes,
  pages: row.pages,
  status: row.status,
  ...(row.error ? { error: { code: row.error.code, detail: row.error.detail } } : {}),
  created_at: new Date(row.created_at).toISOString(),
  updated_at: new Date(row.updated_at).toISOString(),
});

export async function showManual(outside: Outside, caller: Caller, manualId: string): Promise<ManualView> {
  return toManualView(await findManual(outside, caller, manualId));
}

export async function listManuals(
  outside: Outside,
  caller: Caller,
  query: { limit: number; cursor?: string | undefined },
): Promise<{ items: ManualView[]; next_cursor: string | null }> {
  const { limit, cursor } = query;
  const page = await outside.ledger.manuals.list(caller.userId, {
    limit,
    ...(cursor === undefined ? {} : { cursor }),
  });
  return { items: page.items.map(toManualView), next_cursor: page.next_cursor };
}

/** A short-lived link to the stored file. Throws `not_found`, or `conflict` while nothing is stored. */
export async function linkToManual(outside: Outside, caller: Caller, manualId: string): Promise<string> {
  const row = await findManual(outside, caller, manualId);
  if (row.status === 'deleting') throw new ManuelError('not_found', 'This manual is being deleted.');
  if (row.s3_key === undefined) {
    throw new ManuelError('conflict', 'Nothing of this manual is stored yet. Wait until its status is "ready".');
  }
  const { url } = await outside.s3.presignGet({
    bucket: outside.settings.storage.manuals_bucket,
    key: row.s3_key,
    filename: row.filename,
    contentType: row.content_type,
  });
  return url;
}

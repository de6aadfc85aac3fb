import { type IngestSource, ManuelError } from '@manuel/contracts';
import type { ManualRow } from '@manuel/ledger';
import type { Caller } from './caller.ts';
import { findManual } from './find-manual.ts';
import type { Outside } from './outside.ts';
import { type Idempotency, type Submitted, admitJob, submittedJob } from './submission.ts';
import { stateOfManual } from './submit-manual.ts';

/** Ingests a manual again, from the stored object or else from its address. Throws `not_found` or `conflict`. */
export async function reindexManual(
  outside: Outside,
  caller: Caller,
  manualId: string,
  idempotency?: Idempotency,
): Promise<Submitted> {
  const row = await findManual(outside, caller, manualId);
  if (row.status === 'deleting') throw new ManuelError('conflict', 'This manual is being deleted.');
  if (row.status === 'processing') {
    const inWork = await stateOfManual(outside, caller, row);
    if (inWork) return inWork;
  }
  const source = sourceOf(row);
  const { manuals } = outside.ledger;
  // A ready manual stays searchable while it is ingested again; a failed one is shown to be in work.
  const failed = row.status === 'failed';
  if (failed)
    await manuals.update(caller.userId, manualId, { status: 'processing', error: null }, { status: ['failed'] });
  try {
    const admission = await admitJob(outside, caller, {
      job: 'ingest',
      operation: 'ingest',
      payload: {
        manual_id: manualId,
        filename: row.filename,
        content_type: row.content_type,
        upload_method: 'reindex',
        source,
      },
      options: { priority: 'normal' },
      idempotency,
    });
    if (admission.kind === 'job') {
      const change = { job_id: admission.view.id };
      await manuals.update(caller.userId, manualId, change, { status: ['processing', 'ready'] });
    }
    return submittedJob(admission);
  } catch (error) {
    if (failed) {
      const before = { status: row.status, error: row.error ?? null };
      await manuals.update(caller.userId, manualId, before, { status: ['processing'] });
    }
    throw error;
  }
}

function sourceOf(row: ManualRow): IngestSource {
  if (row.s3_key !== undefined) return { kind: 'stored' };
  if (row.source_url !== undefined) return { kind: 'url', url: row.source_url };
  throw new ManuelError('conflict', 'Nothing of this manual was stored. Delete it and upload it again.');
}

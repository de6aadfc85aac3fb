import type { JobPayload, JobStatus } from '@manuel/contracts';
import type { ManualRow } from '@manuel/ledger';
import { manualPrefix } from '@manuel/media';
import { discardUpload } from './finish-ingest.ts';
import type { Outside } from './outside.ts';
import { s3Uri } from './s3-uri.ts';

type Failure = NonNullable<ManualRow['error']>;

/**
 * After an ingest that ended otherwise than completed: the manual says why, and what lies about is removed. What was stored is
 * kept for another try (`reindex`), out of search. Safe to call again.
 */
export async function abandonIngest(
  outside: Outside,
  job: {
    readonly jobId: string;
    readonly userId: string;
    readonly payload: JobPayload<'ingest'>;
    readonly status: JobStatus;
  },
): Promise<void> {
  const { manuals, jobs } = outside.ledger;
  const { manual_id: manualId } = job.payload;
  await discardUpload(outside, job);
  const row = await manuals.get(job.userId, manualId);
  if (!row || row.status === 'ready' || row.status === 'deleting') return;
  // Another run of the same manual (a reindex) is at it: the manual is its own.
  const another =
    row.job_id !== undefined && row.job_id !== job.jobId ? await jobs.get(job.userId, row.job_id) : undefined;
  if (another?.open !== undefined) return;
  const reason = failureOf(job.status, (await jobs.get(job.userId, job.jobId))?.error);
  if (row.s3_key === undefined) await discardStored(outside, row);
  else await outside.index.remove(s3Uri(outside.settings.storage.manuals_bucket, row.s3_key), job.userId);
  await manuals.update(job.userId, manualId, { status: 'failed', error: reason }, { status: ['processing'] });
  // Answers may rest on passages that were found before it failed.
  if (row.s3_key !== undefined) await outside.followers.manualsChanged(job.userId);
}

/** Stored, but the row never learnt of it: nobody could find it again. */
async function discardStored(outside: Outside, row: ManualRow): Promise<void> {
  const { storage } = outside.settings;
  const prefix = manualPrefix(storage, row.user_id, row.manual_id);
  const keys = await Array.fromAsync(outside.s3.listObjects(storage.manuals_bucket, prefix), ({ key }) => key);
  await outside.s3.deleteObjects(storage.manuals_bucket, keys);
}

function failureOf(status: JobStatus, error: Failure | undefined): Failure {
  if (status === 'cancelled')
    return { code: 'cancelled', detail: 'The upload was cancelled. Upload the manual again.' };
  if (status === 'expired') {
    return { code: 'expired', detail: 'The manual waited too long to be taken in. Upload it again.' };
  }
  if (error) return { code: error.code, detail: error.detail };
  return {
    code: 'internal',
    detail: 'Something went wrong on our side. Upload the manual again, or index it again if it is listed.',
  };
}

import { type JobResult, ManuelError } from '@manuel/contracts';
import type { ManualRow } from '@manuel/ledger';
import { manualPrefix, sidecarSuffix } from '@manuel/media';
import { z } from 'zod';
import type { Outside, StepOutcome, Work } from './outside.ts';
import { progressOf } from './progress-of.ts';
import { s3Uri } from './s3-uri.ts';

type Outcome = StepOutcome<JobResult<'delete-manual'>>;
const stepSchema = z.object({ asked: z.boolean(), looks: z.number() });
const growth = 1.4;

/**
 * One step of a deletion. The tombstone (status `deleting`) has taken the manual out of every search; this removes what is left,
 * the row last, so that a crash at any point is followed by another go and nothing is forgotten.
 */
export async function deleteManual(outside: Outside, work: Work<'delete-manual'>): Promise<Outcome> {
  const { manual_id: manualId } = work.payload;
  const { asked, looks } = stepSchema.safeParse(work.step).data ?? { asked: false, looks: 0 };
  const row = await outside.ledger.manuals.get(work.userId, manualId);
  const again = (change: { asked: boolean }): Outcome => {
    const { poll_initial_ms, poll_max_ms } = outside.settings.ingest;
    const delayMs = Math.min(poll_max_ms, Math.round(poll_initial_ms * growth ** looks));
    return { kind: 'again', delayMs, step: { ...change, looks: looks + 1 } };
  };
  if (row && row.status !== 'deleting') {
    await outside.ledger.manuals.update(work.userId, manualId, { status: 'deleting' });
    await outside.followers.manualsChanged(work.userId);
  }
  await work.progress(progressOf('delete-manual', 'unindexing'));
  // An ingest under way sees the tombstone at its next step and ends; until then it might put back what is removed here.
  if (await isBeingIngested(outside, work)) return again({ asked: false });

  const documents = await documentsOf(outside, work, row);
  const bucket = outside.settings.storage.manuals_bucket;
  // An ingestion job removes from the index what is no longer in the bucket; the direct call needs no such thing.
  if (outside.settings.ingest.mode === 'job') await outside.s3.deleteObjects(bucket, documents, work.signal);
  const gone = await unindex(
    outside,
    work,
    documents.map((key) => s3Uri(bucket, key)),
    asked,
  );
  if (!gone) return again({ asked: true });

  await work.progress(progressOf('delete-manual', 'removing'));
  await outside.s3.deleteObjects(bucket, documents, work.signal);
  await outside.s3.deleteObjects(bucket, await keysOf(outside, work), work.signal);
  await outside.followers.manualsChanged(work.userId);
  await outside.ledger.manuals.remove(work.userId, manualId);
  return { kind: 'done', result: { manual_id: manualId, status: 'deleted' } };
}

async function isBeingIngested(outside: Outside, work: Work<'delete-manual'>): Promise<boolean> {
  const open = await outside.ledger.jobs.openOf(work.userId);
  return open.some(({ job, payload }) => job === 'ingest' && manualOf(payload) === work.payload.manual_id);
}

const manualOf = (payload: unknown): string | undefined =>
  z.object({ manual_id: z.string() }).safeParse(payload).data?.manual_id;

const keysOf = (outside: Outside, work: Work<'delete-manual'>): Promise<string[]> => {
  const { storage } = outside.settings;
  const prefix = manualPrefix(storage, work.userId, work.payload.manual_id);
  return Array.fromAsync(outside.s3.listObjects(storage.manuals_bucket, prefix, work.signal), ({ key }) => key);
};

/** Keys of the manual's documents: what is stored, and what the row says was. */
async function documentsOf(
  outside: Outside,
  work: Work<'delete-manual'>,
  row: ManualRow | undefined,
): Promise<string[]> {
  const keys = new Set((await keysOf(outside, work)).filter((key) => !key.endsWith(sidecarSuffix)));
  if (row?.s3_key !== undefined) keys.add(row.s3_key);
  return [...keys];
}

/** True when the index has let go of all of them. Throws `indexing_failed`, to be tried again. */
async function unindex(
  outside: Outside,
  work: Work<'delete-manual'>,
  uris: readonly string[],
  asked: boolean,
): Promise<boolean> {
  let gone = true;
  for (const uri of uris) {
    const state = asked ? await outside.index.state('remove', uri) : ({ phase: 'unknown' } as const);
    if (state.phase === 'failed') {
      await outside.index.forget(uri);
      outside.logger.warn('the index did not let go of a manual', {
        manual_id: work.payload.manual_id,
        reason: state.reason,
      });
      throw new ManuelError('indexing_failed', 'The search index did not let go of the manual yet.', {
        retryable: true,
      });
    }
    if (state.phase === 'unknown') await outside.index.remove(uri, work.userId);
    if (state.phase !== 'done') gone = false;
  }
  if (gone) for (const uri of uris) await outside.index.forget(uri);
  return gone;
}

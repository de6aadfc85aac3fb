import { type IngestResult, ManuelError } from '@manuel/contracts';
import type { ManualRow } from '@manuel/ledger';
import { displayFilename } from '@manuel/media';
import { z } from 'zod';
import { acquireSource } from './acquire-source.ts';
import { awaitIndex } from './await-index.ts';
import { deletedMeanwhile } from './deleted-meanwhile.ts';
import { findTwin } from './find-twin.ts';
import { discardUpload, finishIngest, resultOf, retireReplaced } from './finish-ingest.ts';
import type { Outside, StepOutcome, Work } from './outside.ts';
import { progressOf } from './progress-of.ts';
import { s3Uri } from './s3-uri.ts';
import { storeManual } from './store-manual.ts';

/** What one step leaves for the next. Without it (Redis was lost) the job starts over from what is stored. */
const stepSchema = z.discriminatedUnion('phase', [
  z.object({ phase: z.literal('twin'), twin: z.string() }),
  z.object({
    phase: z.enum(['indexing', 'probing']),
    key: z.string(),
    words: z.string(),
    since: z.number(),
    looks: z.number(),
    turn: z.boolean().optional(),
  }),
]);

type Outcome = StepOutcome<IngestResult>;

/**
 * One step of an ingest: fetch, check and store; or look whether the index has it. Every step may be repeated, also after a
 * crash at any point: keys are derived from ids, and the manual's row says what has been done.
 */
export async function ingestManual(outside: Outside, work: Work<'ingest'>): Promise<Outcome> {
  const step = stepSchema.safeParse(work.step).data;
  const row = await rowOf(outside, work);
  if (row.status === 'deleting') {
    await discardUpload(outside, work);
    throw deletedMeanwhile();
  }
  if (step?.phase === 'twin') return awaitTwin(outside, work, row, step.twin);
  if (step === undefined) {
    // A ready manual is only ingested again when that was asked for.
    const again = work.payload.source.kind === 'stored' || work.payload.upload_method === 'reindex';
    if (row.status === 'ready' && !again) return { kind: 'done', result: await finishIngest(outside, work, row) };
    // A document from before becomes a manual of its own: its id is known before its bytes are.
    return takeIn(outside, work, row, work.payload.upload_method !== 'adopt');
  }
  const outcome = await awaitIndex(outside, work, step);
  if (outcome !== 'found') return outcome;
  const result = await finishIngest(outside, work, row);
  await work.progress(progressOf('ingest', 'ready'));
  return { kind: 'done', result };
}

/** The manual's row; the gateway makes it, unless it died in between. */
async function rowOf(outside: Outside, work: Work<'ingest'>): Promise<ManualRow> {
  const { manuals } = outside.ledger;
  const { manual_id, filename, content_type, upload_method, source, replaces } = work.payload;
  const known = await manuals.get(work.userId, manual_id);
  if (known?.status === 'failed') {
    const change = { status: 'processing' as const, job_id: work.jobId, error: null };
    return (await manuals.update(work.userId, manual_id, change, { status: ['failed'] })) ?? known;
  }
  if (known) return known;
  const now = Date.now();
  const row: ManualRow = {
    user_id: work.userId,
    manual_id,
    filename: displayFilename(filename ?? (source.kind === 'url' ? new URL(source.url).pathname : 'manual')),
    content_type: content_type ?? 'application/octet-stream',
    bytes: 0,
    pages: 0,
    status: 'processing',
    created_at: now,
    updated_at: now,
    upload_method,
    job_id: work.jobId,
    ...(source.kind === 'url' ? { source_url: source.url } : {}),
    ...(replaces === undefined ? {} : { replaces }),
  };
  return (await manuals.create(row)) ? row : ((await manuals.get(work.userId, manual_id)) ?? row);
}

/** Fetches, checks, stores, and asks for the index. */
function takeIn(outside: Outside, work: Work<'ingest'>, row: ManualRow, lookForTwin: boolean): Promise<Outcome> {
  const { manuals } = outside.ledger;
  return outside.withFolder(async (folder) => {
    await work.progress(progressOf('ingest', 'received'));
    await work.progress(progressOf('ingest', 'fetching'));
    const file = await acquireSource(outside, work, row, folder);
    await work.progress(progressOf('ingest', 'checking'));
    const filename = row.filename;
    const announced = { path: file.path, filename, contentType: work.payload.content_type };
    const facts = await outside.inspectManual(announced, work.signal);
    const { sha256, bytes } = file;
    const known = await manuals.update(
      work.userId,
      row.manual_id,
      {
        sha256,
        bytes,
        pages: facts.pages,
        content_type: facts.content_type,
        ...(facts.title === undefined ? {} : { title: facts.title }),
      },
      { status: ['processing', 'ready'] },
    );
    if (!known) throw deletedMeanwhile();
    const twin = lookForTwin && !file.stored ? await findTwin(outside, known, sha256) : undefined;
    if (twin) return awaitTwin(outside, work, known, twin.manual_id);
    await work.progress(progressOf('ingest', 'storing'));
    const key = await storeManual(outside, known, { path: file.path, facts }, work.signal);
    if (!(await manuals.update(work.userId, row.manual_id, { s3_key: key }, { status: ['processing', 'ready'] }))) {
      // The deletion that came in between waits for this job to end and then removes what was stored.
      throw deletedMeanwhile();
    }
    await outside.index.add(s3Uri(outside.settings.storage.manuals_bucket, key), work.userId);
    await work.progress(progressOf('ingest', 'indexing'));
    const step = { phase: 'indexing', key, words: facts.sample, since: Date.now(), looks: 0 };
    return { kind: 'again', delayMs: outside.settings.ingest.poll_initial_ms, step };
  });
}

/** The same bytes are there or on their way already: this manual becomes that one. */
async function awaitTwin(outside: Outside, work: Work<'ingest'>, row: ManualRow, twinId: string): Promise<Outcome> {
  const twin = await outside.ledger.manuals.get(work.userId, twinId);
  if (twin?.status === 'ready') {
    if (work.payload.replaces !== twinId) await retireReplaced(outside, work);
    await outside.ledger.manuals.remove(work.userId, row.manual_id);
    await discardUpload(outside, work);
    await work.progress(progressOf('ingest', 'ready'));
    return { kind: 'done', result: resultOf(twin) };
  }
  if (twin?.status === 'processing') {
    return {
      kind: 'again',
      delayMs: outside.settings.ingest.poll_initial_ms * 4,
      step: { phase: 'twin', twin: twinId },
    };
  }
  if (twin?.status === 'deleting' || twin?.status === 'failed' || twin === undefined)
    return takeIn(outside, work, row, false);
  throw new ManuelError('internal', 'The manual is in a state that does not exist.');
}

import { ManuelError, derivedId, isTerminal, newManualId, newUlid } from '@manuel/contracts';
import type { IngestSource, JobPayload } from '@manuel/contracts';
import type { ManualRow } from '@manuel/ledger';
import { displayFilename } from '@manuel/media';
import type { Caller } from './caller.ts';
import { sha256Hex } from './canonical-json.ts';
import type { ManualFile } from './manual-file.ts';
import type { Outside } from './outside.ts';
import {
  type Idempotency,
  type JobOptions,
  type Submitted,
  admitJob,
  checkPriority,
  submittedJob,
} from './submission.ts';

export interface ManualOptions extends JobOptions {
  readonly replaces?: string | undefined;
}

const megabyte = 1024 * 1024;

/**
 * Takes in a manual from a request's body: checked whole before anything is stored, so that a file which can never become
 * searchable is refused at once. The same bytes again give the manual that is there.
 */
export async function submitManualFile(
  outside: Outside,
  caller: Caller,
  file: ManualFile,
  options: ManualOptions,
  idempotency?: Idempotency,
): Promise<Submitted> {
  checkPriority(caller, options.priority);
  const { ingest, storage } = outside.settings;
  if (file.bytes.length === 0) throw new ManuelError('document_unreadable', 'The file is empty.');
  if (file.bytes.length > ingest.max_size_mb * megabyte) throw manualTooLarge(ingest.max_size_mb);
  const filename = displayFilename(file.filename);
  await checkReplaced(outside, caller, options.replaces);
  const sha256 = sha256Hex(file.bytes);
  const same = await submittedBefore(outside, caller, sha256);
  if (same) return same;
  const facts = await outside.inspectManual(file.bytes, { filename, contentType: file.contentType });
  await outside.admitter.ping();
  const manualId = idempotency ? `man_${derivedId(caller.userId, 'ingest', idempotency.key)}` : newManualId();
  const contentType = facts.content_type;
  // A key of its own each time: what another submission under the same Idempotency-Key stored is never overwritten.
  const key = `${storage.uploads_prefix}/${caller.userId}/${manualId}-${newUlid()}.${facts.format}`;
  const bucket = storage.manuals_bucket;
  const { etag } = await outside.s3.putObject({ bucket, key, body: file.bytes, contentType });
  return admitManual(outside, caller, {
    row: { manual_id: manualId, filename, content_type: contentType, bytes: file.bytes.length, sha256 },
    method: file.method,
    source: { kind: 'object', key, etag },
    options,
    idempotency,
    discard: () => outside.s3.deleteObjects(bucket, [key]),
  });
}

export const manualTooLarge = (limitMb: number): ManuelError =>
  new ManuelError('payload_too_large', `The manual is larger than ${limitMb} MB.`);

/** Throws `not_found` unless the manual to be replaced is the caller's own. */
export async function checkReplaced(outside: Outside, caller: Caller, replaces: string | undefined): Promise<void> {
  if (replaces === undefined) return;
  const row = await outside.ledger.manuals.get(caller.userId, replaces);
  if (!row || row.status === 'deleting') {
    throw new ManuelError('not_found', 'The manual to be replaced does not exist. List yours with GET /api/manuals.');
  }
}

/** What the same bytes have become already: the ready manual, or the job that is at it. */
async function submittedBefore(outside: Outside, caller: Caller, sha256: string): Promise<Submitted | undefined> {
  const row = await outside.ledger.manuals.findBySha256(caller.userId, sha256);
  return row ? stateOfManual(outside, caller, row) : undefined;
}

/** A ready manual as its ingest result, one in work as its job; undefined for one that failed or is being deleted. */
export async function stateOfManual(outside: Outside, caller: Caller, row: ManualRow): Promise<Submitted | undefined> {
  if (row.status === 'ready') {
    const { manual_id, filename, pages, bytes } = row;
    return { kind: 'result', result: { manual_id, filename, pages, bytes, status: 'ready' } };
  }
  if (row.status !== 'processing' || row.job_id === undefined) return undefined;
  const view = await outside.admitter.view(caller.userId, row.job_id);
  return view && !isTerminal(view.status) ? { kind: 'job', view, replayed: true } : undefined;
}

export interface NewManual {
  readonly row: Pick<ManualRow, 'manual_id' | 'filename' | 'content_type' | 'bytes'> &
    Partial<Pick<ManualRow, 'sha256' | 'source_url'>>;
  readonly method: JobPayload<'ingest'>['upload_method'];
  readonly source: IngestSource;
  readonly options: ManualOptions;
  readonly idempotency: Idempotency | undefined;
  /** Takes away what was stored for it, when no job came to own it. */
  readonly discard: () => Promise<void>;
}

/** Makes the manual's row, so that the list shows it at once, and admits its job; takes both back when there is no admission. */
export async function admitManual(outside: Outside, caller: Caller, manual: NewManual): Promise<Submitted> {
  const { ledger } = outside;
  const { row, method, source, options, idempotency } = manual;
  const now = Date.now();
  const created = await ledger.manuals.create({
    ...row,
    user_id: caller.userId,
    pages: 0,
    status: 'processing',
    created_at: now,
    updated_at: now,
    upload_method: method,
    ...(options.replaces === undefined ? {} : { replaces: options.replaces }),
  });
  const takeBack = async (): Promise<void> => {
    try {
      if (created) await ledger.manuals.remove(caller.userId, row.manual_id);
      await manual.discard();
    } catch (error) {
      outside.logger.warn('a refused manual left something behind; the reconciler will find it', { error });
    }
  };
  try {
    const admission = await admitJob(outside, caller, {
      job: 'ingest',
      operation: 'ingest',
      payload: {
        manual_id: row.manual_id,
        filename: row.filename,
        content_type: row.content_type,
        upload_method: method,
        source,
        ...(options.replaces === undefined ? {} : { replaces: options.replaces }),
      },
      options,
      idempotency,
    });
    if (admission.kind === 'job' && !admission.replayed) {
      const again = created ? {} : { status: 'processing' as const, error: null };
      await ledger.manuals.update(
        caller.userId,
        row.manual_id,
        { job_id: admission.view.id, ...again },
        { status: ['processing', 'failed'] },
      );
    } else {
      await takeBack();
    }
    return submittedJob(admission);
  } catch (error) {
    // After `unavailable` the job may exist all the same, and then row and object are its own.
    if (error instanceof ManuelError && error.code !== 'unavailable') await takeBack();
    throw error;
  }
}

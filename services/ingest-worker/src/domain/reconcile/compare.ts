import type { ManualRow } from '@manuel/ledger';
import { parseManualKey } from '@manuel/media';
import type { Settings } from '@manuel/settings';
import type { Survey } from './survey.ts';

/** What is wrong, and what mending does about it. */
export const findingKinds = {
  unowned_document: 'A document without an owner, from before; nobody is ever shown it. Give it one: --adopt USER',
  object_without_row: 'A stored file that no manual names; removed',
  object_without_sidecar: 'A stored file without its owner’s sidecar; the sidecar is written again',
  sidecar_without_object: 'A sidecar whose file is gone; removed',
  row_without_object: 'A ready manual whose file is gone; marked failed, with what its owner can do',
  not_indexed: 'A ready manual that the index does not hold; indexed again',
  index_without_object: 'The index holds a document whose file is gone; removed from the index',
  unfinished_ingest: 'A manual in work that no job works on; taken up again, or marked failed',
  unfinished_deletion: 'A deletion that no job works on; taken up again',
  forgotten_upload: 'An upload that was never taken in; removed',
} as const;
export type FindingKind = keyof typeof findingKinds;

export interface Finding {
  readonly kind: FindingKind;
  /** Of the object, with or without the object being there. */
  readonly key?: string;
  readonly row?: ManualRow;
}

export interface CompareOptions {
  readonly storage: Settings['storage'];
  /** Milliseconds since 1970. */
  readonly now: number;
  /** What changed within so many milliseconds is still being worked on and left alone. */
  readonly graceMs: number;
  /** Whether a job that has not ended works on the manual. */
  readonly isWorkedOn: (row: ManualRow) => boolean;
}

/** Compares what the three say. Pure: nothing is asked, nothing changed. */
export function compare(survey: Survey, options: CompareOptions): Finding[] {
  const { objects, sidecars, uploads, rows, documents } = survey;
  const { storage, now, graceMs, isWorkedOn } = options;
  const settled = (at: number): boolean => now - at > graceMs;
  const byId = new Map(rows.map((row) => [`${row.user_id}/${row.manual_id}`, row]));
  const findings: Finding[] = [];

  for (const { key, last_modified } of objects.values()) {
    const owner = parseManualKey(storage, key);
    const row = owner && byId.get(`${owner.userId}/${owner.manualId}`);
    if (!owner) findings.push({ kind: 'unowned_document', key });
    else if (!settled(last_modified) || (row && isWorkedOn(row))) continue;
    else if (!row || (row.s3_key !== undefined && row.s3_key !== key))
      findings.push({ kind: 'object_without_row', key });
    else if (!sidecars.has(key)) findings.push({ kind: 'object_without_sidecar', key, row });
  }
  for (const [key, sidecar] of sidecars) {
    if (!objects.has(key) && settled(sidecar.last_modified)) findings.push({ kind: 'sidecar_without_object', key });
  }
  for (const [key] of documents) {
    const owner = parseManualKey(storage, key);
    const row = owner && byId.get(`${owner.userId}/${owner.manualId}`);
    if (!objects.has(key) && !(row && isWorkedOn(row))) findings.push({ kind: 'index_without_object', key });
  }
  for (const row of rows) {
    if (!settled(row.updated_at) || isWorkedOn(row)) continue;
    const found = rowFinding(row, survey);
    if (found) findings.push({ kind: found, row });
  }
  // A link to upload by, and the job that takes the upload in, have long ended by then.
  const day = 86_400_000;
  for (const { key, last_modified } of uploads) {
    if (now - last_modified > Math.max(graceMs, day)) findings.push({ kind: 'forgotten_upload', key });
  }
  return findings;
}

function rowFinding(row: ManualRow, { objects, documents }: Survey): FindingKind | undefined {
  switch (row.status) {
    case 'deleting':
      return 'unfinished_deletion';
    case 'processing':
      return 'unfinished_ingest';
    case 'failed':
      return undefined;
    case 'ready': {
      if (row.s3_key === undefined || !objects.has(row.s3_key)) return 'row_without_object';
      const status = documents.get(row.s3_key)?.status ?? 'NOT_FOUND';
      return ['NOT_FOUND', 'FAILED', 'IGNORED'].includes(status) ? 'not_indexed' : undefined;
    }
  }
}

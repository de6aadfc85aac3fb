import { setTimeout as sleep } from 'node:timers/promises';
import type { DocumentState } from '@manuel/aws';
import { z } from 'zod';
import { type Adoption, adopt } from '../domain/reconcile/adopt.ts';
import { compare, type Finding, type FindingKind } from '../domain/reconcile/compare.ts';
import { mend } from '../domain/reconcile/mend.ts';
import { survey } from '../domain/reconcile/survey.ts';
import type { Outside } from '../domain/outside.ts';
import { s3Uri } from '../domain/s3-uri.ts';

export interface ReconcileOptions {
  /** Sets right what can be set right; else only tells. */
  readonly mend: boolean | 'all but files';
  /** The user who gets the documents that have no owner. */
  readonly adoptFor?: string;
  /** Milliseconds within which changes are left alone; two hours unless given. */
  readonly graceMs?: number;
}

export interface ReconcileReport {
  readonly objects: number;
  readonly manuals: number;
  readonly documents: number;
  readonly findings: readonly {
    kind: FindingKind;
    key?: string;
    user_id?: string;
    manual_id?: string;
    mended: boolean;
  }[];
  readonly adopted: readonly Adoption[];
}

export type Reconcilable = Outside & { readonly listDocuments: () => AsyncIterable<DocumentState> };

/** As long as a job that works on a manual may live. */
const defaultGraceMs = 7_200_000;
const removalLimitMs = 60_000;
const pollMs = 200;

/** Lists S3, the ledger and the index against each other; tells what differs, and mends it when asked. */
export async function reconcile(outside: Reconcilable, options: ReconcileOptions): Promise<ReconcileReport> {
  const { settings, logger } = outside;
  const graceMs = options.graceMs ?? defaultGraceMs;
  const worked = await manualsWithOpenJobs(outside);
  const seen = await survey(outside);
  const findings = compare(seen, {
    storage: settings.storage,
    now: Date.now(),
    graceMs,
    isWorkedOn: (row) => worked.has(idOf(row.user_id, row.manual_id)),
  });
  const report: ReconcileReport['findings'][number][] = [];
  for (const finding of findings) {
    const mended = isMended(finding, options.mend);
    if (mended) await mend(outside, finding);
    report.push({ ...shown(finding), mended });
  }
  const adopted = options.adoptFor === undefined ? [] : await adoptAll(outside, options.adoptFor, findings);
  await untilRemoved(
    outside,
    findings.filter((finding) => isMended(finding, options.mend)),
  );
  logger.info('reconciled', { findings: report.length, mended: report.filter((entry) => entry.mended).length });
  return {
    objects: seen.objects.size,
    manuals: seen.rows.length,
    documents: seen.documents.size,
    findings: report,
    adopted,
  };
}

function isMended({ kind }: Finding, how: ReconcileOptions['mend']): boolean {
  if (kind === 'unowned_document') return false;
  // A ledger restored from an old copy would make good files look like nobody's: that is for a person to see.
  return how === true || (how === 'all but files' && kind !== 'object_without_row');
}

const idOf = (userId: string, manualId: string): string => `${userId}/${manualId}`;

const shown = ({ kind, key, row }: Finding) => ({
  kind,
  ...(key === undefined ? {} : { key }),
  ...(row === undefined ? {} : { user_id: row.user_id, manual_id: row.manual_id }),
});

/** Manuals on which a job works that has not ended. */
async function manualsWithOpenJobs(outside: Outside): Promise<Set<string>> {
  const payloadSchema = z.object({ manual_id: z.string() });
  const ids = new Set<string>();
  for await (const { job, user_id, payload } of outside.ledger.jobs.open(Date.now())) {
    const manual = job === 'ingest' || job === 'delete-manual' ? payloadSchema.safeParse(payload).data : undefined;
    if (manual) ids.add(idOf(user_id, manual.manual_id));
  }
  return ids;
}

/** Gives every document without an owner to one user and waits for the ingest worker to take them in. */
async function adoptAll(outside: Outside, userId: string, findings: readonly Finding[]): Promise<Adoption[]> {
  const keys = findings.flatMap(({ kind, key }) => (kind === 'unowned_document' && key !== undefined ? [key] : []));
  const deadline = Date.now() + outside.settings.ingest.ready_timeout_ms;
  for (;;) {
    const adoptions: Adoption[] = [];
    for (const key of keys) adoptions.push(await adopt(outside, userId, key));
    if (adoptions.every(({ outcome }) => outcome !== 'under way') || Date.now() > deadline) return adoptions;
    await sleep(pollMs);
  }
}

/** The index lets go of documents some time after it is asked to. */
async function untilRemoved(outside: Outside, mended: readonly Finding[]): Promise<void> {
  const bucket = outside.settings.storage.manuals_bucket;
  const uris = mended.flatMap(({ kind, key }) =>
    key !== undefined && (kind === 'index_without_object' || kind === 'object_without_row') ? [s3Uri(bucket, key)] : [],
  );
  const deadline = Date.now() + removalLimitMs;
  for (const uri of uris) {
    for (;;) {
      const { phase } = await outside.index.state('remove', uri);
      if (phase !== 'under way' || Date.now() > deadline) break;
      await sleep(pollMs);
    }
    await outside.index.forget(uri);
  }
}

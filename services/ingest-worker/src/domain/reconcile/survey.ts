import type { DocumentState } from '@manuel/aws';
import type { ManualRow } from '@manuel/ledger';
import { sidecarSuffix } from '@manuel/media';
import type { Outside } from '../outside.ts';
import { s3Uri } from '../s3-uri.ts';

export interface StoredObject {
  readonly key: string;
  /** Milliseconds since 1970. */
  readonly last_modified: number;
}

/** What S3, the ledger and the index each say. */
export interface Survey {
  /** Documents in the bucket, whatever their key; no sidecars, no uploads. */
  readonly objects: ReadonlyMap<string, StoredObject>;
  /** Keys of documents that have a sidecar, whether or not the document is there. */
  readonly sidecars: ReadonlyMap<string, StoredObject>;
  /** Uploads that wait to be taken in. */
  readonly uploads: readonly StoredObject[];
  readonly rows: readonly ManualRow[];
  /** Documents of the index, by the key of their object. */
  readonly documents: ReadonlyMap<string, DocumentState>;
}

/** Lists the three against which manuals are reconciled. The index first: what is stored meanwhile then looks new, not lost. */
export async function survey(
  outside: Pick<Outside, 's3' | 'ledger' | 'settings'> & { readonly listDocuments: () => AsyncIterable<DocumentState> },
): Promise<Survey> {
  const { manuals_bucket: bucket, uploads_prefix } = outside.settings.storage;
  const documents = new Map<string, DocumentState>();
  const root = s3Uri(bucket, '');
  for await (const state of outside.listDocuments()) {
    if (state.status !== 'NOT_FOUND' && state.uri.startsWith(root)) documents.set(state.uri.slice(root.length), state);
  }
  const objects = new Map<string, StoredObject>();
  const sidecars = new Map<string, StoredObject>();
  const uploads: StoredObject[] = [];
  for await (const { key, last_modified } of outside.s3.listObjects(bucket, '')) {
    if (key.startsWith(`${uploads_prefix}/`)) uploads.push({ key, last_modified });
    else if (key.endsWith(sidecarSuffix)) sidecars.set(key.slice(0, -sidecarSuffix.length), { key, last_modified });
    else if (!key.endsWith('/')) objects.set(key, { key, last_modified });
  }
  const rows = await Array.fromAsync(outside.ledger.manuals.scan());
  return { objects, sidecars, uploads, rows, documents };
}

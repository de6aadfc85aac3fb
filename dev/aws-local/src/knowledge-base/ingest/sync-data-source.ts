import type { DocumentRecord } from '../store/document-record.ts';
import { hashOf } from './build-document.ts';
import type { IngestionStatistics } from './ingestion-jobs.ts';
import { SIDECAR_SUFFIX } from './read-sidecar.ts';
import { parseS3Uri, s3Uri } from './s3-uri.ts';

/** What a sync needs of the knowledge base. */
export interface SyncTarget {
  readonly bucket: string;
  readonly prefix: string;
  readObject(bucket: string, key: string): Promise<Buffer | undefined>;
  listObjects(bucket: string, prefix: string): Promise<string[]>;
  records(): readonly DocumentRecord[];
  /** Ingests and resolves with the record that came of it; undefined when it was deleted meanwhile. */
  ingestAndWait(uri: string, metadataUri: string): Promise<DocumentRecord | undefined>;
  deleteAndWait(uri: string): Promise<void>;
}

/** Makes the index mirror the bucket's prefix: adds, updates and deletes by comparing. Returns why documents failed. */
export async function syncDataSource(
  target: SyncTarget,
  statistics: IngestionStatistics,
  stopped: () => boolean,
): Promise<string[]> {
  const keys = await target.listObjects(target.bucket, target.prefix);
  const sidecars = new Set(keys.filter((key) => key.endsWith(SIDECAR_SUFFIX)));
  const documents = keys.filter((key) => !sidecars.has(key) && !key.endsWith('/'));
  statistics.numberOfDocumentsScanned = documents.length;
  statistics.numberOfMetadataDocumentsScanned = sidecars.size;
  const failures: string[] = [];
  for (const key of documents) {
    if (stopped()) return failures;
    const failure = await syncOne(target, key, statistics);
    if (failure !== undefined) failures.push(failure);
  }
  await deleteMissing(target, new Set(documents), statistics, stopped);
  return failures;
}

async function syncOne(target: SyncTarget, key: string, statistics: IngestionStatistics): Promise<string | undefined> {
  const uri = s3Uri({ bucket: target.bucket, key });
  const known = target.records().find((record) => record.uri === uri);
  const [object, sidecar] = await Promise.all([
    target.readObject(target.bucket, key),
    target.readObject(target.bucket, `${key}${SIDECAR_SUFFIX}`),
  ]);
  if (object === undefined) return undefined;
  const sameObject = known?.objectHash === hashOf(object);
  const sameMetadata = known?.metadataHash === (sidecar === undefined ? undefined : hashOf(sidecar));
  if (known?.status === 'INDEXED' && sameObject && sameMetadata) return undefined;

  const record = await target.ingestAndWait(uri, `${uri}${SIDECAR_SUFFIX}`);
  if (record?.status !== 'INDEXED') {
    statistics.numberOfDocumentsFailed += 1;
    return `${uri}: ${record?.statusReason ?? record?.status ?? 'deleted while the job ran'}`;
  }
  if (known?.objectHash === undefined) statistics.numberOfNewDocumentsIndexed += 1;
  else if (sameObject) statistics.numberOfMetadataDocumentsModified += 1;
  else statistics.numberOfModifiedDocumentsIndexed += 1;
  return undefined;
}

async function deleteMissing(
  target: SyncTarget,
  present: ReadonlySet<string>,
  statistics: IngestionStatistics,
  stopped: () => boolean,
): Promise<void> {
  for (const { uri } of target.records()) {
    if (stopped()) return;
    const object = parseS3Uri(uri);
    if (object === undefined || (object.bucket === target.bucket && present.has(object.key))) continue;
    await target.deleteAndWait(uri);
    statistics.numberOfDocumentsDeleted += 1;
  }
}

import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { matchesFilter, type Filter } from './filter/filter.ts';
import { buildDocument } from './ingest/build-document.ts';
import { DocumentRegistry } from './ingest/document-registry.ts';
import { IngestionJobs } from './ingest/ingestion-jobs.ts';
import { syncDataSource } from './ingest/sync-data-source.ts';
import { search, type SearchHit } from './search/search.ts';
import type { DocumentRecord } from './store/document-record.ts';
import { DocumentStore } from './store/document-store.ts';
import { Embedder } from './vectors/embedder.ts';

export interface KnowledgeBaseOptions {
  /** The knowledge base's own folder; made when absent. One process at a time. */
  readonly dataDir: string;
  readObject(bucket: string, key: string): Promise<Buffer | undefined>;
  listObjects(bucket: string, prefix: string): Promise<string[]>;
  log(message: string, fields?: Record<string, unknown>): void;
  /** Ten letters and digits, as in AWS. Default MANUELKB01. */
  readonly knowledgeBaseId?: string;
  /** Default MANUELDS01. */
  readonly dataSourceId?: string;
  /** What ingestion jobs scan. Default: all of the bucket `manuel-manuals`. */
  readonly bucket?: string;
  readonly prefix?: string;
  /** How long after INDEXED a document is found, in milliseconds. Default 50. */
  readonly searchableDelayMs?: number;
  /** The longest a document may take to be read, in milliseconds. Default 120,000. */
  readonly parseTimeoutMs?: number;
  /** Base URL of an OpenAI-compatible embeddings server; without one the search goes by words alone. */
  readonly embeddingsUrl?: string;
  readonly embeddingsApiKey?: string;
  readonly embeddingsModel?: string;
  /** How long a question waits for its vector, in milliseconds. Default 2,000. */
  readonly embeddingsTimeoutMs?: number;
  /** Also enforces AWS's request rates, which are far below what a test does. Default false. */
  readonly enforceQuotas?: boolean;
}

export interface RetrieveInput {
  readonly text: string;
  readonly filter?: Filter | undefined;
  readonly limit: number;
  /** By vectors alone where there are any. */
  readonly semantic?: boolean;
}

/** For one batch of passages. */
const INGEST_EMBEDDING_TIMEOUT_MS = 60_000;

/** Opens the knowledge base kept in `dataDir`; unfinished ingests of an earlier process are taken up again. */
export async function createKnowledgeBase(options: KnowledgeBaseOptions): Promise<KnowledgeBase> {
  await mkdir(options.dataDir, { recursive: true });
  const embedder = embedderOf(options);
  const documents = new DocumentRegistry({
    store: new DocumentStore(join(options.dataDir, 'documents')),
    vectorModel: embedder?.model,
    searchableDelayMs: options.searchableDelayMs ?? 50,
    log: (message, fields) => options.log(message, fields),
    build: (record, signal) =>
      buildDocument(
        record,
        {
          readObject: (bucket, key) => options.readObject(bucket, key),
          log: (message, fields) => options.log(message, fields),
          parseTimeoutMs: options.parseTimeoutMs ?? 120_000,
          embedder,
        },
        signal,
      ),
  });
  await documents.load();
  const source = { bucket: options.bucket ?? 'manuel-manuals', prefix: options.prefix ?? '' };
  const jobs = await IngestionJobs.load(join(options.dataDir, 'ingestion-jobs.json'), (statistics, stopped) =>
    syncDataSource({ ...source, ...syncTargetOf(options, documents) }, statistics, stopped),
  );
  return new KnowledgeBase(options, source, { documents, jobs, embedder });
}

interface Parts {
  readonly documents: DocumentRegistry;
  readonly jobs: IngestionJobs;
  readonly embedder: Embedder | undefined;
}

/** One knowledge base with one S3 data source. */
export class KnowledgeBase {
  readonly knowledgeBaseId: string;
  readonly dataSourceId: string;
  readonly bucket: string;
  readonly prefix: string;
  readonly enforceQuotas: boolean;
  readonly jobs: IngestionJobs;
  readonly #documents: DocumentRegistry;
  readonly #embedder: Embedder | undefined;
  readonly #closing = new AbortController();

  constructor(options: KnowledgeBaseOptions, source: { bucket: string; prefix: string }, parts: Parts) {
    this.knowledgeBaseId = options.knowledgeBaseId ?? 'MANUELKB01';
    this.dataSourceId = options.dataSourceId ?? 'MANUELDS01';
    this.bucket = source.bucket;
    this.prefix = source.prefix;
    this.enforceQuotas = options.enforceQuotas ?? false;
    this.jobs = parts.jobs;
    this.#documents = parts.documents;
    this.#embedder = parts.embedder;
  }

  /** Takes a document in; it is read from S3 a moment later. The record returned is PENDING. */
  ingest(uri: string, metadataUri: string): Promise<DocumentRecord> {
    return this.#documents.ingest(uri, metadataUri);
  }

  /** Takes a document out of search at once. Undefined when it is not known. */
  delete(uri: string): Promise<DocumentRecord | undefined> {
    return this.#documents.delete(uri);
  }

  record(uri: string): DocumentRecord | undefined {
    return this.#documents.record(uri);
  }

  /** Whether its latest text is found; some time after it is INDEXED. */
  isSearchable(uri: string): boolean {
    return this.#documents.isSearchable(uri);
  }

  /** All documents, sorted by uri. */
  records(): DocumentRecord[] {
    return this.#documents.records();
  }

  /** The best passages of the documents that pass the filter, scored from those documents alone. */
  async retrieve({ text, filter, limit, semantic = false }: RetrieveInput): Promise<SearchHit[]> {
    const vector = await this.#embedder?.embedQuestion(text, this.#closing.signal);
    const passing = [...this.#documents.searchable()].filter(
      ({ metadata }) => filter === undefined || matchesFilter(filter, metadata),
    );
    // In an order of their own, so that equal scores rank the same before and after a restart.
    const indexes = passing.toSorted((a, b) => (a.id < b.id ? -1 : 1)).map(({ index }) => index);
    return search(indexes, { text, limit, vector, semantic });
  }

  /** Lets running ingests finish; what waits is taken up at the next start. */
  async close(): Promise<void> {
    this.#closing.abort();
    await this.#documents.close();
    await this.jobs.close();
  }
}

function embedderOf(options: KnowledgeBaseOptions): Embedder | undefined {
  if (options.embeddingsUrl === undefined) return undefined;
  return new Embedder({
    url: options.embeddingsUrl,
    ...(options.embeddingsApiKey === undefined ? {} : { apiKey: options.embeddingsApiKey }),
    model: options.embeddingsModel ?? 'default',
    ingestTimeoutMs: INGEST_EMBEDDING_TIMEOUT_MS,
    queryTimeoutMs: options.embeddingsTimeoutMs ?? 2_000,
    log: (message, fields) => options.log(message, fields),
  });
}

function syncTargetOf(
  options: KnowledgeBaseOptions,
  documents: DocumentRegistry,
): Omit<Parameters<typeof syncDataSource>[0], 'bucket' | 'prefix'> {
  return {
    readObject: (bucket, key) => options.readObject(bucket, key),
    listObjects: (bucket, prefix) => options.listObjects(bucket, prefix),
    records: () => documents.records(),
    async ingestAndWait(uri, metadataUri) {
      await documents.ingest(uri, metadataUri);
      return documents.settled(uri);
    },
    async deleteAndWait(uri) {
      await documents.delete(uri);
      await documents.settled(uri);
    },
  };
}

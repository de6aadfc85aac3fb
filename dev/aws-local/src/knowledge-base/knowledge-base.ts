import { createHash, randomUUID } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { matchesFilter, type Filter } from './filter/filter.ts';
import { buildContent, RejectedDocumentError } from './ingest/build-content.ts';
import { IngestionJobs } from './ingest/ingestion-jobs.ts';
import { syncDataSource } from './ingest/sync-data-source.ts';
import { indexDocument, type DocumentIndex } from './search/document-index.ts';
import { search, type SearchHit } from './search/search.ts';
import type { DocumentContent, DocumentRecord } from './store/document-record.ts';
import { DocumentStore } from './store/document-store.ts';

export interface KnowledgeBaseOptions {
  /** The knowledge base's own folder; made when absent. */
  readonly dataDir: string;
  readObject(bucket: string, key: string): Promise<Buffer | undefined>;
  listObjects(bucket: string, prefix: string): Promise<string[]>;
  log(message: string, fields?: Record<string, unknown>): void;
  /** Ten letters and digits, as in AWS. Default MANUELKB01. */
  readonly knowledgeBaseId?: string;
  /** Default MANUELDS01. */
  readonly dataSourceId?: string;
  /** What ingestion jobs scan. Default: bucket `manuel`, all of it. */
  readonly bucket?: string;
  readonly prefix?: string;
  /** How long after INDEXED a document is found, in milliseconds. Default 50. */
  readonly searchableDelayMs?: number;
  /** Default 120,000. */
  readonly parseTimeoutMs?: number;
}

export interface RetrieveInput {
  readonly text: string;
  readonly filter: Filter | undefined;
  readonly limit: number;
}

const PARALLEL_INGESTS = 2;

interface Entry {
  record: DocumentRecord;
  index: DocumentIndex | undefined;
  /** Raised by every request about the document, so that an older run's outcome is dropped. */
  generation: number;
  /** The last change of the document's files; the next one waits for it. */
  writing: Promise<void>;
}

interface Outcome {
  readonly record: DocumentRecord;
  readonly content?: DocumentContent;
}

/** Opens the knowledge base kept in `dataDir`; unfinished ingests of an earlier process are taken up again. */
export async function createKnowledgeBase(options: KnowledgeBaseOptions): Promise<KnowledgeBase> {
  await mkdir(options.dataDir, { recursive: true });
  const knowledgeBase = new KnowledgeBase(options);
  await knowledgeBase.open();
  return knowledgeBase;
}

export class KnowledgeBase {
  readonly knowledgeBaseId: string;
  readonly dataSourceId: string;
  readonly bucket: string;
  readonly prefix: string;
  readonly #options: KnowledgeBaseOptions;
  readonly #store: DocumentStore;
  readonly #entries = new Map<string, Entry>();
  readonly #queue: (() => Promise<void>)[] = [];
  readonly #running = new Set<Promise<void>>();
  readonly #closing = new AbortController();
  #jobs: IngestionJobs | undefined;

  constructor(options: KnowledgeBaseOptions) {
    this.#options = options;
    this.knowledgeBaseId = options.knowledgeBaseId ?? 'MANUELKB01';
    this.dataSourceId = options.dataSourceId ?? 'MANUELDS01';
    this.bucket = options.bucket ?? 'manuel';
    this.prefix = options.prefix ?? '';
    this.#store = new DocumentStore(join(options.dataDir, 'documents'));
  }

  async open(): Promise<void> {
    for (const { record, content } of await this.#store.load()) {
      const index = content === undefined ? undefined : indexOf(record, content);
      const entry: Entry = { record, index, generation: 0, writing: Promise.resolve() };
      this.#entries.set(record.uri, entry);
      if (record.status === 'PENDING') this.#enqueue(() => this.#index(entry, 0));
      if (record.status === 'DELETING') this.#enqueue(() => this.#remove(entry, 0));
    }
    this.#jobs = await IngestionJobs.load(join(this.#options.dataDir, 'ingestion-jobs.json'), (statistics, stopped) =>
      syncDataSource(this.#syncTarget(), statistics, stopped),
    );
  }

  get jobs(): IngestionJobs {
    if (this.#jobs === undefined)
      throw new Error('The knowledge base is not open; make it with createKnowledgeBase().');
    return this.#jobs;
  }

  /** Takes a document in; it is read from S3 a moment later. The record returned is PENDING. */
  async ingest(uri: string, metadataUri: string): Promise<DocumentRecord> {
    const blank: DocumentRecord = { id: idOf(uri), uri, metadataUri, status: 'PENDING', updatedAt: now() };
    const entry = this.#entries.get(uri) ?? {
      record: blank,
      index: undefined,
      generation: 0,
      writing: Promise.resolve(),
    };
    this.#entries.set(uri, entry);
    const generation = (entry.generation += 1);
    await serially(entry, async () => {
      const { statusReason: _, ...known } = entry.record;
      entry.record = { ...known, metadataUri, status: 'PENDING', updatedAt: now() };
      this.#entries.set(uri, entry);
      await this.#store.writeRecord(entry.record);
    });
    const { record } = entry;
    this.#enqueue(() => this.#index(entry, generation));
    return record;
  }

  /** Takes it out of search at once and off the disk a moment later. Undefined when the document is not known. */
  async delete(uri: string): Promise<DocumentRecord | undefined> {
    const entry = this.#entries.get(uri);
    if (entry === undefined) return undefined;
    const generation = (entry.generation += 1);
    entry.index = undefined;
    await serially(entry, async () => {
      entry.index = undefined;
      entry.record = { ...entry.record, status: 'DELETING', updatedAt: now() };
      await this.#store.writeRecord(entry.record);
    });
    const { record } = entry;
    this.#enqueue(() => this.#remove(entry, generation));
    return record;
  }

  record(uri: string): DocumentRecord | undefined {
    return this.#entries.get(uri)?.record;
  }

  /** All documents, sorted by uri. */
  records(): DocumentRecord[] {
    return [...this.#entries.values()].map((entry) => entry.record).toSorted((a, b) => (a.uri < b.uri ? -1 : 1));
  }

  /** The best passages of the documents that pass the filter, scored from those documents alone. */
  retrieve({ text, filter, limit }: RetrieveInput): SearchHit[] {
    const indexes: DocumentIndex[] = [];
    for (const { index } of this.#entries.values()) {
      if (index !== undefined && (filter === undefined || matchesFilter(filter, index.document.metadata)))
        indexes.push(index);
    }
    // In an order of their own, so that equal scores rank the same before and after a restart.
    indexes.sort((a, b) => (a.document.id < b.document.id ? -1 : 1));
    return search(indexes, text, limit);
  }

  /** Lets running ingests finish; what waits is taken up at the next start. */
  async close(): Promise<void> {
    this.#closing.abort();
    this.#queue.length = 0;
    await this.jobs.close();
    await Promise.all(this.#running);
  }

  #enqueue(task: () => Promise<void>): void {
    this.#queue.push(task);
    this.#pump();
  }

  #pump(): void {
    while (this.#running.size < PARALLEL_INGESTS && !this.#closing.signal.aborted) {
      const task = this.#queue.shift();
      if (task === undefined) return;
      const run: Promise<void> = task()
        .catch((error: unknown) => this.#options.log('knowledge base task failed', { error: String(error) }))
        .finally(() => {
          this.#running.delete(run);
          this.#pump();
        });
      this.#running.add(run);
    }
  }

  async #index(entry: Entry, generation: number): Promise<void> {
    if (entry.generation !== generation) return;
    entry.record = { ...entry.record, status: 'IN_PROGRESS', updatedAt: now() };
    const outcome = await this.#build(entry.record);
    await serially(entry, async () => {
      if (entry.generation === generation) await this.#adopt(entry, outcome);
    });
    if (entry.generation !== generation || outcome.content === undefined) return;
    const index = indexOf(outcome.record, outcome.content);
    // As in AWS, a document is found some time after it says INDEXED; after a restart it is found at once.
    await pause(this.#options.searchableDelayMs ?? 50, this.#closing.signal);
    if (entry.generation === generation) entry.index = index;
  }

  async #adopt(entry: Entry, { record, content }: Outcome): Promise<void> {
    const old = entry.record.content;
    if (content === undefined || record.content === undefined) entry.index = undefined;
    else await this.#store.writeContent(record.content, content);
    await this.#store.writeRecord(record);
    if (old !== undefined) await this.#store.removeContent(old);
    entry.record = record;
  }

  async #build(record: DocumentRecord): Promise<Outcome> {
    const { content: _, objectHash: __, metadataHash: ___, ...base } = record;
    try {
      const built = await buildContent(record, {
        readObject: (bucket, key) => this.#options.readObject(bucket, key),
        parseTimeoutMs: this.#options.parseTimeoutMs ?? 120_000,
      });
      return {
        content: built.content,
        record: {
          ...base,
          status: 'INDEXED',
          updatedAt: now(),
          content: `${base.id}.${randomUUID()}`,
          objectHash: built.objectHash,
          ...(built.metadataHash === undefined ? {} : { metadataHash: built.metadataHash }),
        },
      };
    } catch (error) {
      const rejected = error instanceof RejectedDocumentError;
      const reason = rejected ? error.message : 'An internal error occurred while the document was read. Try again.';
      if (!rejected) this.#options.log('document could not be read', { uri: record.uri, error: String(error) });
      return {
        record: { ...base, status: rejected ? error.status : 'FAILED', statusReason: reason, updatedAt: now() },
      };
    }
  }

  async #remove(entry: Entry, generation: number): Promise<void> {
    await serially(entry, async () => {
      if (entry.generation !== generation) return;
      const { content, ...record } = entry.record;
      entry.record = { ...record, status: 'DELETE_IN_PROGRESS', updatedAt: now() };
      await this.#store.remove(content === undefined ? record : { ...record, content });
      this.#entries.delete(record.uri);
    });
  }

  #syncTarget(): Parameters<typeof syncDataSource>[0] {
    return {
      bucket: this.bucket,
      prefix: this.prefix,
      readObject: (bucket, key) => this.#options.readObject(bucket, key),
      listObjects: (bucket, prefix) => this.#options.listObjects(bucket, prefix),
      records: () => this.records(),
      ingestAndWait: async (uri, metadataUri) => {
        await this.ingest(uri, metadataUri);
        return this.#settled(uri);
      },
      deleteAndWait: async (uri) => {
        await this.delete(uri);
        while (this.#entries.has(uri) && !this.#closing.signal.aborted) await sleep(5);
      },
    };
  }

  async #settled(uri: string): Promise<DocumentRecord> {
    for (;;) {
      const record = this.record(uri);
      if (record === undefined) throw new Error(`${uri} was deleted while it was ingested.`);
      const busy = record.status === 'PENDING' || record.status === 'IN_PROGRESS';
      if (!busy || this.#closing.signal.aborted) return record;
      await sleep(5);
    }
  }
}

function indexOf(record: DocumentRecord, content: DocumentContent): DocumentIndex {
  const { metadata, paged, pages, passages } = content;
  return indexDocument({ id: record.id, uri: record.uri, metadata, paged, pages, passages });
}

/** Changes of one document's files happen one after the other; a failed one does not hold up the next. */
async function serially(entry: Entry, change: () => Promise<void>): Promise<void> {
  const turn = entry.writing.then(change);
  entry.writing = turn.catch(() => undefined);
  await turn;
}

async function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  await sleep(milliseconds, undefined, { signal }).catch(() => undefined);
}

function idOf(uri: string): string {
  return createHash('sha256').update(uri).digest('hex').slice(0, 24);
}

function now(): string {
  return new Date().toISOString();
}

import { createHash, randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { SearchableDocument } from '../search/searchable-document.ts';
import type { DocumentRecord } from '../store/document-record.ts';
import type { DocumentStore } from '../store/document-store.ts';
import type { BuildOutcome } from './build-document.ts';
import { TaskQueue } from './task-queue.ts';

const PARALLEL_INGESTS = 2;

export interface RegistryOptions {
  readonly store: DocumentStore;
  /** Reads the document as it now lies in S3; never throws. */
  build(record: DocumentRecord, signal: AbortSignal): Promise<BuildOutcome>;
  /** The embeddings model in use. */
  readonly vectorModel: string | undefined;
  /** How long after INDEXED a document is found, in milliseconds. */
  readonly searchableDelayMs: number;
  log(message: string, fields?: Record<string, unknown>): void;
}

interface Entry {
  record: DocumentRecord;
  searchable: SearchableDocument | undefined;
  /** Raised by every request about the document, so that an older run's outcome is dropped. */
  generation: number;
  /** The last change of the document's files; the next one waits for it. */
  writing: Promise<void>;
}

/**
 * Every document with its status, on disk and in memory.
 *
 *     (unknown) --ingest--> PENDING --> IN_PROGRESS --> INDEXED | FAILED | IGNORED
 *                              ^------------- ingest -------------'
 *     any --delete--> DELETING --> DELETE_IN_PROGRESS --> (unknown)
 */
export class DocumentRegistry {
  readonly #options: RegistryOptions;
  readonly #entries = new Map<string, Entry>();
  readonly #queue: TaskQueue;
  readonly #closing = new AbortController();

  constructor(options: RegistryOptions) {
    this.#options = options;
    this.#queue = new TaskQueue(PARALLEL_INGESTS, (error) => {
      options.log('a document could not be stored', { error: error instanceof Error ? error.message : String(error) });
    });
  }

  /** Reads what is on disk; what an earlier process left unfinished is taken up again. */
  async load(): Promise<void> {
    for (const { record, content } of await this.#options.store.load()) {
      const hidden = record.status === 'DELETING' || content === undefined;
      const searchable = hidden ? undefined : new SearchableDocument(record, content, this.#options.vectorModel);
      const entry: Entry = { record, searchable, generation: 0, writing: Promise.resolve() };
      this.#entries.set(record.uri, entry);
      if (record.status === 'PENDING') this.#queue.add(() => this.#index(entry, 0));
      if (record.status === 'DELETING') this.#queue.add(() => this.#remove(entry, 0));
    }
    this.#queue.add(() => this.#warmUp());
  }

  /** Takes a document in; it is read from S3 a moment later. The record returned is PENDING. */
  async ingest(uri: string, metadataUri: string): Promise<DocumentRecord> {
    const blank: DocumentRecord = { id: idOf(uri), uri, metadataUri, status: 'PENDING', updatedAt: now() };
    const known = this.#entries.get(uri);
    const entry: Entry = known ?? { record: blank, searchable: undefined, generation: 0, writing: Promise.resolve() };
    this.#entries.set(uri, entry);
    const generation = (entry.generation += 1);
    await serially(entry, async () => {
      const { statusReason: _, ...rest } = entry.record;
      entry.record = { ...rest, metadataUri, status: 'PENDING', updatedAt: now() };
      this.#entries.set(uri, entry);
      await this.#options.store.writeRecord(entry.record);
    });
    const { record } = entry;
    this.#queue.add(() => this.#index(entry, generation));
    return record;
  }

  /** Takes it out of search at once and off the disk a moment later. Undefined when the document is not known. */
  async delete(uri: string): Promise<DocumentRecord | undefined> {
    const entry = this.#entries.get(uri);
    if (entry === undefined) return undefined;
    const generation = (entry.generation += 1);
    entry.searchable = undefined;
    await serially(entry, async () => {
      entry.searchable = undefined;
      entry.record = { ...entry.record, status: 'DELETING', updatedAt: now() };
      await this.#options.store.writeRecord(entry.record);
    });
    const { record } = entry;
    this.#queue.add(() => this.#remove(entry, generation));
    return record;
  }

  record(uri: string): DocumentRecord | undefined {
    return this.#entries.get(uri)?.record;
  }

  /** All documents, sorted by uri. */
  records(): DocumentRecord[] {
    return Array.from(this.#entries.values(), ({ record }) => record).toSorted((a, b) => (a.uri < b.uri ? -1 : 1));
  }

  isSearchable(uri: string): boolean {
    const entry = this.#entries.get(uri);
    return entry?.record.status === 'INDEXED' && entry.searchable?.content === entry.record.content;
  }

  /** In no particular order. */
  *searchable(): Generator<SearchableDocument> {
    for (const { searchable } of this.#entries.values()) if (searchable !== undefined) yield searchable;
  }

  /** Resolves once the document is neither waiting, nor being read, nor being deleted; undefined when it is gone. */
  async settled(uri: string): Promise<DocumentRecord | undefined> {
    for (;;) {
      const record = this.record(uri);
      const settled = record === undefined || ['INDEXED', 'FAILED', 'IGNORED'].includes(record.status);
      if (settled || this.#closing.signal.aborted) return record;
      await sleep(5);
    }
  }

  /** Lets what runs finish; what waits is taken up at the next start. */
  async close(): Promise<void> {
    this.#closing.abort();
    await this.#queue.close();
  }

  async #index(entry: Entry, generation: number): Promise<void> {
    if (entry.generation !== generation) return;
    entry.record = { ...entry.record, status: 'IN_PROGRESS', updatedAt: now() };
    const outcome = await this.#options.build(entry.record, this.#closing.signal);
    // A document whose reading was cut short by close() stays PENDING on disk.
    if (this.#closing.signal.aborted) return;
    await serially(entry, async () => {
      if (entry.generation === generation) await this.#adopt(entry, outcome);
    });
    if (entry.generation !== generation || outcome.content === undefined) return;
    const searchable = new SearchableDocument(entry.record, outcome.content, this.#options.vectorModel);
    // As in AWS, a document is found some time after it says INDEXED; after a restart it is found at once.
    await sleep(this.#options.searchableDelayMs, undefined, { signal: this.#closing.signal }).catch(() => undefined);
    if (entry.generation === generation) entry.searchable = searchable;
  }

  async #adopt(entry: Entry, { content, ...outcome }: BuildOutcome): Promise<void> {
    const { content: old, objectHash: _, metadataHash: __, ...kept } = entry.record;
    const name = content === undefined ? {} : { content: `${kept.id}.${randomUUID()}` };
    const record: DocumentRecord = { ...kept, ...outcome, ...name, updatedAt: now() };
    if (content === undefined) entry.searchable = undefined;
    else await this.#options.store.writeContent(record.content ?? '', content);
    await this.#options.store.writeRecord(record);
    if (old !== undefined) await this.#options.store.removeContent(old);
    entry.record = record;
  }

  async #remove(entry: Entry, generation: number): Promise<void> {
    await serially(entry, async () => {
      if (entry.generation !== generation) return;
      const { content, ...record } = entry.record;
      entry.record = { ...record, status: 'DELETE_IN_PROGRESS', updatedAt: now() };
      await this.#options.store.remove(content === undefined ? record : { ...record, content });
      this.#entries.delete(record.uri);
    });
  }

  /** Makes the indexes one by one, so that the first questions after a start need not wait for them. */
  async #warmUp(): Promise<void> {
    for (const document of this.searchable()) {
      if (this.#closing.signal.aborted) return;
      void document.index;
      await nextTurn();
    }
  }
}

/** Changes of one document's files happen one after the other; a failed one does not hold up the next. */
async function serially(entry: Entry, change: () => Promise<void>): Promise<void> {
  const turn = entry.writing.then(change);
  entry.writing = turn.catch(() => undefined);
  await turn;
}

function idOf(uri: string): string {
  return createHash('sha256').update(uri).digest('hex').slice(0, 24);
}

function now(): string {
  return new Date().toISOString();
}

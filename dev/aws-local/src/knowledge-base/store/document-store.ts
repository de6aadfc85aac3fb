import { mkdir, readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { isNativeError } from 'node:util/types';
import type { DocumentContent, DocumentRecord } from './document-record.ts';
import { writeAtomically } from './atomic-write.ts';

const RECORD = '.record.json';
const CONTENT = '.content.json';
const LOADING_AT_ONCE = 32;

export interface LoadedDocument {
  readonly record: DocumentRecord;
  readonly content?: DocumentContent;
}

/**
 * Documents on disk, two files each: the record and the content that it names. The content is written first and under a
 * new name, so that the record always points at something whole; what no record names is swept at the next start.
 * A new document touches its own files only.
 */
export class DocumentStore {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** Every record with its content, if it has one. */
  async load(): Promise<LoadedDocument[]> {
    await mkdir(this.#folder, { recursive: true });
    const files = await readdir(this.#folder);
    const records = files.filter((file) => file.endsWith(RECORD));
    const loaded: LoadedDocument[] = [];
    for (let start = 0; start < records.length; start += LOADING_AT_ONCE) {
      const batch = records.slice(start, start + LOADING_AT_ONCE);
      const documents = await Promise.all(batch.map((file) => this.#loadOne(file)));
      loaded.push(...documents.filter((document) => document !== undefined));
    }
    await this.#sweep(files, new Set(loaded.flatMap(({ record }) => filesOf(record))));
    return loaded;
  }

  async writeRecord(record: DocumentRecord): Promise<void> {
    await writeAtomically(join(this.#folder, `${record.id}${RECORD}`), JSON.stringify(record));
  }

  /** Stores the content under the name that the next record will carry. */
  async writeContent(name: string, content: DocumentContent): Promise<void> {
    await writeAtomically(join(this.#folder, `${name}${CONTENT}`), JSON.stringify(content));
  }

  async removeContent(name: string): Promise<void> {
    await rm(join(this.#folder, `${name}${CONTENT}`), { force: true });
  }

  async remove(record: DocumentRecord): Promise<void> {
    await rm(join(this.#folder, `${record.id}${RECORD}`), { force: true });
    if (record.content !== undefined) await this.removeContent(record.content);
  }

  async #loadOne(file: string): Promise<LoadedDocument | undefined> {
    const record = await readJson<DocumentRecord>(join(this.#folder, file));
    if (record?.content === undefined) return record === undefined ? undefined : { record };
    const content = await readJson<DocumentContent>(join(this.#folder, `${record.content}${CONTENT}`));
    if (content !== undefined) return { record, content };
    // The disk lost the text. It is read again from S3, where the original lies.
    const { content: _, ...rest } = record;
    return { record: record.status === 'DELETING' ? rest : { ...rest, status: 'PENDING' } };
  }

  async #sweep(files: readonly string[], named: ReadonlySet<string>): Promise<void> {
    for (const file of files) if (!named.has(file)) await rm(join(this.#folder, file), { force: true });
  }
}

/** Undefined when the file is gone or damaged. These files are written by this module alone, hence the cast. */
async function readJson<T>(path: string): Promise<T | undefined> {
  try {
    return JSON.parse(await readFile(path, 'utf8')) as T;
  } catch (error) {
    const missing = isNativeError(error) && 'code' in error && error.code === 'ENOENT';
    if (missing || (isNativeError(error) && error.name === 'SyntaxError')) return undefined;
    throw error;
  }
}

function filesOf(record: DocumentRecord): string[] {
  const own = `${record.id}${RECORD}`;
  return record.content === undefined ? [own] : [own, `${record.content}${CONTENT}`];
}

import { mkdir, readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { DocumentContent, DocumentRecord } from './document-record.ts';
import { writeAtomically } from './atomic-write.ts';

const RECORD = '.record.json';
const CONTENT = '.content.json';
const LOADING_AT_ONCE = 32;

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
  async load(): Promise<{ record: DocumentRecord; content?: DocumentContent }[]> {
    await mkdir(this.#folder, { recursive: true });
    const files = await readdir(this.#folder);
    const records = files.filter((file) => file.endsWith(RECORD));
    const loaded: { record: DocumentRecord; content?: DocumentContent }[] = [];
    for (let start = 0; start < records.length; start += LOADING_AT_ONCE) {
      const batch = records.slice(start, start + LOADING_AT_ONCE);
      loaded.push(...(await Promise.all(batch.map((file) => this.#loadOne(file)))));
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

  async #loadOne(file: string): Promise<{ record: DocumentRecord; content?: DocumentContent }> {
    const record = JSON.parse(await readFile(join(this.#folder, file), 'utf8')) as DocumentRecord;
    if (record.content === undefined) return { record };
    const json = await readFile(join(this.#folder, `${record.content}${CONTENT}`), 'utf8');
    return { record, content: JSON.parse(json) as DocumentContent };
  }

  async #sweep(files: readonly string[], named: ReadonlySet<string>): Promise<void> {
    for (const file of files) if (!named.has(file)) await rm(join(this.#folder, file), { force: true });
  }
}

function filesOf(record: DocumentRecord): string[] {
  const own = `${record.id}${RECORD}`;
  return record.content === undefined ? [own] : [own, `${record.content}${CONTENT}`];
}

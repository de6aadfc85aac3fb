import { randomUUID } from 'node:crypto';
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** Records by name, in memory and one JSON file each; a file is replaced whole or not at all. */
export class RecordStore<Value> {
  readonly #folder: string;
  readonly #records: Map<string, Value>;

  private constructor(folder: string, records: Map<string, Value>) {
    this.#folder = folder;
    this.#records = records;
  }

  /** Opens the folder and reads what an earlier process left there. */
  static async open<Value>(folder: string): Promise<RecordStore<Value>> {
    await mkdir(folder, { recursive: true });
    const records = new Map<string, Value>();
    for (const file of await readdir(folder)) {
      if (!file.endsWith('.json')) continue;
      // Only this class writes here, and only whole values.
      records.set(
        decodeURIComponent(file.slice(0, -5)),
        JSON.parse(await readFile(join(folder, file), 'utf8')) as Value,
      );
    }
    return new RecordStore(folder, records);
  }

  get(name: string): Value | undefined {
    return this.#records.get(name);
  }

  entries(): [string, Value][] {
    return [...this.#records];
  }

  /** Visible to readers at once, on disk when the promise is fulfilled. */
  async put(name: string, value: Value): Promise<void> {
    this.#records.set(name, value);
    const path = this.#path(name);
    const draft = `${path}.${randomUUID()}.draft`;
    await writeFile(draft, JSON.stringify(value));
    await rename(draft, path);
  }

  async delete(name: string): Promise<void> {
    this.#records.delete(name);
    await rm(this.#path(name), { force: true });
  }

  #path(name: string): string {
    return join(this.#folder, `${encodeURIComponent(name)}.json`);
  }
}

import { readFile, rename, writeFile } from 'node:fs/promises';
import { isNativeError } from 'node:util/types';

/** A value kept in one JSON file. A crash leaves the old file or the new one, never half of one. */
export class JsonFile<T> {
  readonly #path: string;
  #writing: Promise<void> = Promise.resolve();

  constructor(path: string) {
    this.#path = path;
  }

  /** What was last written; `initial` when nothing was. The file is this class's own, so its shape is trusted. */
  async read(initial: T): Promise<T> {
    try {
      const value: T = JSON.parse(await readFile(this.#path, 'utf8'));
      return value;
    } catch (error) {
      if (isNativeError(error) && 'code' in error && error.code === 'ENOENT') return initial;
      throw error;
    }
  }

  /** Writes happen in the order of the calls; `value` is taken as it is at the time of the call. */
  write(value: T): Promise<void> {
    const text = JSON.stringify(value, null, 2);
    const replace = async (): Promise<void> => {
      await writeFile(`${this.#path}.new`, text, { mode: 0o600 });
      await rename(`${this.#path}.new`, this.#path);
    };
    this.#writing = this.#writing.then(replace, replace);
    return this.#writing;
  }
}

import { ManuelError } from '@manuel/contracts';

interface Waiting<Row, Written> {
  readonly row: Row;
  readonly resolve: (written: Written) => void;
  readonly reject: (error: ManuelError) => void;
}

export interface GroupCommitOptions<Row, Written> {
  /** Writes rows; answers for each, in order, how it was written, or why it is not durable. */
  readonly write: (rows: readonly Row[]) => Promise<(ManuelError | Written)[]>;
  /** No two rows of a batch may share it. */
  readonly keyOf: (row: Row) => string;
  readonly maxRows: number;
  /** Longest wait for company, milliseconds. */
  readonly intervalMs: number;
}

/**
 * Gathers rows into batches. A lone row is written at once. One that has company (a write is under way, or a batch went out
 * within the interval) waits until the interval since then is over or its batch is full: a call costs the same for one row as
 * for many, so under load there must be few.
 */
export class GroupCommit<Row, Written = undefined> {
  readonly #options: GroupCommitOptions<Row, Written>;
  #waiting = new Map<string, Waiting<Row, Written>>();
  #timer: NodeJS.Timeout | undefined;
  readonly #writes = new Set<Promise<void>>();
  #lastFlush = Number.NEGATIVE_INFINITY;
  #lastSize = 0;

  constructor(options: GroupCommitOptions<Row, Written>) {
    this.#options = options;
  }

  /** Resolves when the row is durable. */
  add(row: Row): Promise<Written> {
    return new Promise((resolve, reject) => {
      const key = this.#options.keyOf(row);
      if (this.#waiting.has(key)) this.#flush();
      this.#waiting.set(key, { row, resolve, reject });
      const alone = this.#writes.size === 0 && this.#lastSize <= 1;
      const rest = alone ? 0 : this.#lastFlush + this.#options.intervalMs - performance.now();
      if (rest <= 0 || this.#waiting.size >= this.#options.maxRows) this.#flush();
      else this.#timer ??= setTimeout(() => this.#flush(), rest);
    });
  }

  /** Waits until all that was added has been answered. */
  async close(): Promise<void> {
    this.#flush();
    while (this.#writes.size > 0) await Promise.all(this.#writes);
  }

  #flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#waiting.size === 0) return;
    const batch = [...this.#waiting.values()];
    this.#waiting = new Map();
    this.#lastFlush = performance.now();
    this.#lastSize = batch.length;
    const write = this.#write(batch).finally(() => this.#writes.delete(write));
    this.#writes.add(write);
  }

  async #write(batch: readonly Waiting<Row, Written>[]): Promise<void> {
    let verdicts: (ManuelError | Written)[];
    try {
      verdicts = await this.#options.write(batch.map((one) => one.row));
    } catch (error) {
      const failure = new ManuelError('internal', 'Something went wrong on our side while recording this.', {
        cause: error,
      });
      verdicts = batch.map(() => failure);
    }
    batch.forEach((one, index) => {
      // Safe: there is one for each row.
      const verdict = verdicts[index] as ManuelError | Written;
      if (verdict instanceof ManuelError) one.reject(verdict);
      else one.resolve(verdict);
    });
  }
}

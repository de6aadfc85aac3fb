/** Runs tasks in order, a few at a time. What has not begun when it is closed never begins. */
export class TaskQueue {
  readonly #waiting: (() => Promise<void>)[] = [];
  readonly #running = new Set<Promise<void>>();
  readonly #parallel: number;
  readonly #onError: (error: unknown) => void;
  #closed = false;

  constructor(parallel: number, onError: (error: unknown) => void) {
    this.#parallel = parallel;
    this.#onError = onError;
  }

  add(task: () => Promise<void>): void {
    this.#waiting.push(task);
    this.#pump();
  }

  /** Resolves when what runs has ended. */
  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all(this.#running);
  }

  #pump(): void {
    while (this.#running.size < this.#parallel && !this.#closed) {
      const task = this.#waiting.shift();
      if (task === undefined) return;
      const run: Promise<void> = task()
        .catch(this.#onError)
        .finally(() => {
          this.#running.delete(run);
          this.#pump();
        });
      this.#running.add(run);
    }
  }
}

import type { Run } from './worker-context.ts';

/** The runs of one process, in slots that are used again. */
export class RunningJobs {
  readonly #slots: (Run | undefined)[] = [];
  readonly #free: number[] = [];

  /** Returns how to take it off again. */
  add(run: Run): () => void {
    const slot = this.#free.pop() ?? this.#slots.length;
    this.#slots[slot] = run;
    return () => {
      this.#slots[slot] = undefined;
      this.#free.push(slot);
    };
  }

  all(): readonly Run[] {
    return this.#slots.filter((run) => run !== undefined);
  }

  /** Undefined when it does not run here. */
  find(jobId: string): Run | undefined {
    return this.#slots.find((run) => run?.jobId === jobId);
  }

  get count(): number {
    return this.#slots.length - this.#free.length;
  }
}

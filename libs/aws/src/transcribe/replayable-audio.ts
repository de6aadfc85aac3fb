/**
 * Audio that is read once from its source and can be sent again from the beginning until `settle`, so that a stream that
 * could not be opened is tried again without a word being lost. One reader at a time; a reader that was given up may still
 * wait, and takes nothing from the next one.
 */
export class ReplayableAudio {
  readonly #source: AsyncIterator<Uint8Array>;
  readonly #kept: Uint8Array[] = [];
  /** Chunks that are gone from the front of `#kept`. */
  #dropped = 0;
  #ended = false;
  #settled = false;
  #pulling: Promise<void> | undefined;

  constructor(source: AsyncIterable<Uint8Array>) {
    this.#source = source[Symbol.asyncIterator]();
  }

  /** From now on what was read is forgotten. */
  settle(): void {
    this.#settled = true;
  }

  /** All chunks from the first one that is kept. */
  async *read(): AsyncGenerator<Uint8Array> {
    for (let index = this.#dropped; ; index += 1) {
      while (index >= this.#dropped + this.#kept.length) {
        if (this.#ended) return;
        await (this.#pulling ??= this.#pull().finally(() => (this.#pulling = undefined)));
      }
      const chunk = this.#kept[index - this.#dropped];
      if (chunk === undefined) return;
      yield chunk;
      if (this.#settled) this.#dropped += this.#kept.splice(0, index + 1 - this.#dropped).length;
    }
  }

  async #pull(): Promise<void> {
    const next = await this.#source.next();
    if (next.done === true) this.#ended = true;
    else this.#kept.push(next.value);
  }
}

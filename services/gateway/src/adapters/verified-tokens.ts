/** What is known of tokens by their text until it expires; the least recently used goes first. */
export class VerifiedTokens<T extends { readonly expiresAtMs: number }> {
  readonly #known = new Map<string, T>();
  readonly #capacity: number;

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  /** Undefined when unknown or expired. */
  get(token: string, now: number): T | undefined {
    const known = this.#known.get(token);
    if (!known) return undefined;
    this.#known.delete(token);
    if (known.expiresAtMs <= now) return undefined;
    this.#known.set(token, known);
    return known;
  }

  set(token: string, known: T): void {
    this.#known.set(token, known);
    if (this.#known.size <= this.#capacity) return;
    const oldest = this.#known.keys().next();
    if (!oldest.done) this.#known.delete(oldest.value);
  }
}

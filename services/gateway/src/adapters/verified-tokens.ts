/** What is known of tokens by their text until it expires; those that were not asked for lately go first. */
export class VerifiedTokens<T extends { readonly expiresAtMs: number }> {
  /** Two generations: a token is as long as a page, so it is looked up once and moved only when the young are full. */
  #young = new Map<string, T>();
  #old = new Map<string, T>();
  readonly #capacity: number;

  /** Holds at least the `capacity` latest, and at most twice as many. */
  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  /** Undefined when unknown or expired. */
  get(token: string, now: number): T | undefined {
    const young = this.#young.get(token);
    const known = young ?? this.#old.get(token);
    if (!known || known.expiresAtMs <= now) return undefined;
    if (!young) this.set(token, known);
    return known;
  }

  set(token: string, known: T): void {
    if (this.#young.size >= this.#capacity) {
      this.#old = this.#young;
      this.#young = new Map();
    }
    this.#young.set(token, known);
  }
}

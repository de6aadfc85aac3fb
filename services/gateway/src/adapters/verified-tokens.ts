interface Known<T> {
  readonly token: string;
  readonly of: T;
}

/** Characters at the end of a token, within its signature: enough to find it by. All of it is compared then. */
const tailLength = 32;

/** What is known of tokens by their text until it expires; those that were not asked for lately go first. */
export class VerifiedTokens<T extends { readonly expiresAtMs: number }> {
  /** By their tails: a token is as long as a page, and a map has to read all of a key. */
  #young = new Map<string, Known<T>>();
  #old = new Map<string, Known<T>>();
  readonly #capacity: number;

  /** Holds at least the `capacity` latest, and at most twice as many. */
  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  /** Undefined when unknown or expired. */
  get(token: string, now: number): T | undefined {
    const tail = token.slice(-tailLength);
    const young = this.#young.get(tail);
    const known = young ?? this.#old.get(tail);
    if (known?.token !== token || known.of.expiresAtMs <= now) return undefined;
    if (!young) this.set(token, known.of);
    return known.of;
  }

  set(token: string, of: T): void {
    if (this.#young.size >= this.#capacity) {
      // Two generations, so that nothing is moved at each look.
      this.#old = this.#young;
      this.#young = new Map();
    }
    this.#young.set(token.slice(-tailLength), { token, of });
  }
}

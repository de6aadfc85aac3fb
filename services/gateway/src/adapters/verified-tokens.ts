import type { Identity } from '../domain/caller.ts';

/** Verified tokens by their text, least recently used first out, so that a signature is checked once a token and not once a request. */
export class VerifiedTokens {
  readonly #known = new Map<string, Identity>();
  readonly #capacity: number;

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  /** Undefined when unknown or expired. */
  get(token: string, now: number): Identity | undefined {
    const identity = this.#known.get(token);
    if (!identity) return undefined;
    this.#known.delete(token);
    if (identity.expiresAtMs <= now) return undefined;
    this.#known.set(token, identity);
    return identity;
  }

  set(token: string, identity: Identity): void {
    this.#known.set(token, identity);
    if (this.#known.size <= this.#capacity) return;
    const oldest = this.#known.keys().next();
    if (!oldest.done) this.#known.delete(oldest.value);
  }

  delete(token: string): void {
    this.#known.delete(token);
  }
}

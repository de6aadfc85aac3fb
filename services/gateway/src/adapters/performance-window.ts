import type { OpsHealth } from '@manuel/contracts';

const samples = 2000;

/** How this gateway's latest answers went: a ring of fixed size, so that counting costs nothing. */
export class PerformanceWindow {
  readonly #windowMs: number;
  readonly #at = new Float64Array(samples);
  readonly #took = new Float64Array(samples);
  readonly #failed = new Uint8Array(samples);
  #next = 0;

  constructor(windowMs: number) {
    this.#windowMs = windowMs;
  }

  /** `at`: milliseconds since 1970. */
  note(durationMs: number, status: number, at = Date.now()): void {
    const index = this.#next % samples;
    this.#at[index] = at;
    this.#took[index] = durationMs;
    this.#failed[index] = status >= 500 ? 1 : 0;
    this.#next += 1;
  }

  read(now = Date.now()): OpsHealth['performance'] {
    const took: number[] = [];
    let failed = 0;
    for (let index = 0; index < Math.min(this.#next, samples); index += 1) {
      if ((this.#at[index] ?? 0) < now - this.#windowMs) continue;
      took.push(this.#took[index] ?? 0);
      failed += this.#failed[index] ?? 0;
    }
    took.sort((a, b) => a - b);
    const at = (share: number): number | null =>
      took.length === 0 ? null : Math.round((took[Math.ceil(took.length * share) - 1] ?? 0) * 100) / 100;
    const error_rate = took.length === 0 ? null : failed / took.length;
    return { requests: took.length, error_rate, p50_ms: at(0.5), p95_ms: at(0.95) };
  }
}

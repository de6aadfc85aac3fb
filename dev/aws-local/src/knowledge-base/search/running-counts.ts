/**
 * How often each of some terms occurs up to each sentence of a page, so that any run of sentences is counted by one
 * subtraction. Row s holds the sums of the sentences before s.
 */
export class RunningCounts {
  readonly terms: number;
  readonly #sums: Float64Array;
  #row = 0;

  constructor(terms: number, sentences: number) {
    this.terms = terms;
    this.#sums = new Float64Array(terms * (sentences + 1));
  }

  /** Begins the next sentence: its sums start from those of the last. */
  nextSentence(): void {
    const start = this.#row * this.terms;
    this.#row += 1;
    this.#sums.copyWithin(start + this.terms, start, start + this.terms);
  }

  /** Counts a term in the sentence that was begun last. */
  add(term: number, amount: number): void {
    const at = this.#row * this.terms + term;
    this.#sums[at] = (this.#sums[at] ?? 0) + amount;
  }

  /** Occurrences in the sentences from `first` to before `end`. */
  count(term: number, first: number, end: number): number {
    const difference = (this.#sums[end * this.terms + term] ?? 0) - (this.#sums[first * this.terms + term] ?? 0);
    // Weights are sums of fractions: what is left of an exact difference of nothing is nothing.
    return difference > 1e-9 ? difference : 0;
  }
}

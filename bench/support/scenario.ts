/** One measured thing. `ours` and `base` were measured side by side in the same run. */
export interface Row {
  readonly what: string;
  readonly ours: number;
  readonly base?: number;
  readonly unit: string;
  /** What `base` is. */
  readonly against?: string;
  /** The ratio aimed at; `more`: at least, `less`: at most. */
  readonly aim?: { readonly ratio: number; readonly direction: 'more' | 'less' };
}

export interface Scenario {
  readonly name: string;
  readonly title: string;
  run(): Promise<Row[]>;
}

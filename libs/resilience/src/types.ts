/** The upstreams that share a breaker, a bulkhead and a retry policy. */
export const upstreamNames = [
  'bedrock',
  'knowledge-base',
  'transcribe',
  's3',
  'dynamodb',
  'sns',
  'sqs',
  'fetch',
] as const;
export type UpstreamName = (typeof upstreamNames)[number];

export interface UpstreamCall {
  readonly upstream: UpstreamName;
  /** AWS operation name; a breaker counts per upstream and operation. */
  readonly operation: string;
  /** The caller's own signal: aborting it ends the call, its retries and its waits. */
  readonly signal?: AbortSignal;
  /** Milliseconds for all tries and waits together. */
  readonly deadlineMs?: number;
  /** Tries after the first; the policy's own number unless given (0: the job's own retries serve). */
  readonly maxRetries?: number;
}

export interface BreakerState {
  /** `<upstream>:<operation>` */
  readonly name: string;
  readonly state: 'closed' | 'open' | 'half-open';
  readonly consecutive_failures: number;
  /** Milliseconds since 1970; null while closed. */
  readonly opened_at: number | null;
}

export interface Resilience {
  /**
   * Runs `work` under bulkhead, breaker, retry policy and deadline. Throws ManuelError only: an AWS error is mapped by one
   * exhaustive table, an open breaker throws `unavailable` at once with retryAfterMs.
   */
  call<T>(call: UpstreamCall, work: (signal: AbortSignal) => Promise<T>): Promise<T>;
  /** Whether a call would be refused now by an open breaker. */
  isOpen(upstream: UpstreamName, operation: string): boolean;
  /** Counts an outcome that came after the call returned (a stream that broke after HTTP 200). */
  record(upstream: UpstreamName, operation: string, outcome: 'success' | 'failure'): void;
  /** All that were ever used, by whichever process, those in trouble and the others. */
  breakers(): Promise<BreakerState[]>;
  /** Closes it by hand; false when the name is no upstream's. */
  reset(name: string): Promise<boolean>;
  close(): Promise<void>;
}

/** Recovery that is noticed without waiting for a user's call to try. */
export interface Probing {
  /**
   * Gives an operation a cheap call that tells whether it works again. While its breaker is open it is tried in the
   * background (`breaker.probe_*`), and success closes the breaker. Returns how to take it back.
   */
  probe(upstream: UpstreamName, operation: string, work: (signal: AbortSignal) => Promise<unknown>): () => void;
}

import type {
  Envelope,
  ErrorCode,
  JobClass,
  JobName,
  JobPayload,
  JobResult,
  JobsOnQueue,
  JobStatus,
  JobView,
  Operation,
  Progress,
  QueueName,
  StoredEvent,
  UsageSummary,
  UserEvent,
} from '@manuel/contracts';
import type { JobRow, Ledger } from '@manuel/ledger';
import type { Settings } from '@manuel/settings';
import type { Logger, Metrics } from '@manuel/telemetry';
import type { Queue } from 'bullmq';

/** What everything in this library is made from. */
export interface QueueDependencies {
  readonly settings: Settings;
  readonly ledger: Ledger;
  readonly logger: Logger;
  readonly metrics: Metrics;
  /** Milliseconds since 1970; `Date.now` unless given (tests turn days over with it). */
  readonly now?: () => number;
}

// ---------------------------------------------------------------- gateway's side

export interface AdmitRequest<N extends JobName = JobName> {
  readonly job: N;
  readonly operation: Operation;
  readonly userId: string;
  readonly payload: JobPayload<N>;
  readonly class: JobClass;
  readonly expiresInS: number;
  readonly requestId: string;
  readonly traceparent?: string;
  readonly idempotency?: { readonly key: string; readonly bodySha256: string };
  /**
   * Where a cached result would lie (made by @manuel/cache): the key is prefix + value of versionKey + suffix. Looked up within
   * the admission's own round trip; no version in Redis means a miss.
   */
  readonly cacheKey?: { readonly versionKey: string; readonly prefix: string; readonly suffix: string };
}

export type KeyedRequest<N extends JobName = JobName> = AdmitRequest<N> &
  Required<Pick<AdmitRequest<N>, 'idempotency'>>;

/** As much of an admission as its limits depend on. */
export type AdmissionCheck<N extends JobName = JobName> = Pick<
  AdmitRequest<N>,
  'job' | 'operation' | 'userId' | 'class'
>;

/** A job, and the status line that told of it first: 200 where its result was there at once. */
export interface Answered {
  readonly view: JobView;
  readonly answeredStatus: number;
}

export type Admission =
  /** Durable and queued. `replayed`: the Idempotency-Key named it before. */
  | ({ readonly kind: 'job'; readonly replayed: boolean } & Answered)
  /** The cache held the answer (raw value as stored); nothing was reserved or enqueued. `usage`: of the user, as of now. */
  | { readonly kind: 'cached'; readonly value: Buffer; readonly usage: () => Promise<UsageSummary> };

/**
 * Producer side, for the gateway. Commands have a time limit and no offline queue: with Redis down every call throws
 * `unavailable` (503) within a second.
 */
export interface Admitter {
  /**
   * Checks limits and idempotency, reserves quota, gives the fair turn (one script), writes the ledger row, adds the job.
   * Throws ManuelError: quota_exceeded, queue_full, too_many_jobs, idempotency_mismatch, unavailable.
   */
  admit<N extends JobName>(request: AdmitRequest<N>): Promise<Admission>;
  /** Throws what `admit` would throw now for want of quota or room. Holds nothing: `admit` may refuse all the same. */
  check<N extends JobName>(request: AdmissionCheck<N>): Promise<void>;
  /**
   * The job that an Idempotency-Key stands for, whatever has become of what it needed. Undefined: none, or it is on its way.
   * Throws `idempotency_mismatch`.
   */
  replay(
    userId: string,
    operation: Operation,
    idempotency: { readonly key: string; readonly bodySha256: string },
  ): Promise<Answered | undefined>;
  /**
   * Keeps what was answered out of the cache for the Idempotency-Key of the request. Undefined: done. Else what another request
   * with that key was answered meanwhile. Throws `idempotency_mismatch`.
   */
  keepAnswer<N extends JobName>(
    request: KeyedRequest<N>,
    result: Record<string, unknown>,
  ): Promise<Answered | undefined>;
  /** The owner's view: from Redis while hot, else the ledger. Undefined: none, or another's. */
  view(userId: string, jobId: string): Promise<JobView | undefined>;
  /** Lets `view` find what was answered without a job (from the cache), for an hour or so. */
  keep(userId: string, view: JobView): Promise<void>;
  /** Cancels; the view after it. Undefined: none. Throws `conflict` when it had ended. */
  cancel(userId: string, jobId: string): Promise<JobView | undefined>;
  /** Used and limits as of now, reservations counted. */
  usage(userId: string): Promise<UsageSummary>;
  setLimits(userId: string, limits: { daily_limit?: number; monthly_limit?: number }): Promise<void>;
  /** Enqueues without limits, quota or idempotency (warm-ups, replays, the sweeper): the ledger row is written first. */
  enqueueInternal<N extends JobName>(
    request: Omit<AdmitRequest<N>, 'idempotency' | 'cacheKey'> & { jobId?: string },
  ): Promise<string>;
  ping(): Promise<void>;
  close(): Promise<void>;
}

/** What a client sees of a ledger row comes of these. */
export type ViewedRow = Pick<JobRow, 'job_id' | 'operation' | 'class' | 'status' | 'created_at' | 'attempts'> &
  Partial<Pick<JobRow, 'started_at' | 'finished_at' | 'progress' | 'result' | 'error' | 'request_id'>>;

/** A ledger row as the client sees it, on top of what Redis knows of it. */
export type ToJobView = (
  row: ViewedRow,
  live?: { status: JobStatus; progress?: Progress; started_at?: number; attempts?: number },
) => JobView;

/** Delivers users' events to whoever is connected to this process. One Redis connection, whatever the number of clients. */
export interface EventHub {
  /**
   * Events after `lastEventId` (replayed from the capped stream) and then live ones, in order, each once. Resolves when the
   * listener is live. Where it returns a promise, the next of what was missed waits for that. `onGap`: later, when the connection to
   * Redis was lost, events after `after` were no longer in the stream.
   */
  subscribe(
    userId: string,
    listener: (stored: StoredEvent) => unknown,
    lastEventId?: string,
    onGap?: (after: string) => void,
  ): Promise<EventSubscription>;
  /** Resolves with the terminal view, or undefined when `timeoutMs` is over. Re-reads the job, so a missed event is harmless. */
  waitForEnd(userId: string, jobId: string, timeoutMs: number, signal?: AbortSignal): Promise<JobView | undefined>;
  /** Whether the end of a job has been told as an event. False also when Redis remembers it no more. */
  hasToldEnd(userId: string, jobId: string): Promise<boolean>;
  /** Newest event id of a user's stream (`0-0` when there is none). */
  lastEventId(userId: string): Promise<string>;
  close(): Promise<void>;
}
export interface EventSubscription {
  /** True when events after `lastEventId` were no longer in the stream: the client should re-read its jobs. */
  readonly gap: boolean;
  close(): void;
}

// ---------------------------------------------------------------- worker's side

export interface JobContext<N extends JobName> {
  readonly name: N;
  readonly id: string;
  readonly userId: string;
  readonly operation: Operation;
  readonly payload: JobPayload<N>;
  readonly envelope: Envelope;
  /** Tries so far, this one included. */
  readonly attempt: number;
  /** True when a failure now is final. */
  readonly lastAttempt: boolean;
  /** Aborted on cancel, time limit, lost lock and shutdown. Give it to everything that waits. */
  readonly signal: AbortSignal;
  readonly logger: Logger;
  /** The step job's own memory, kept between steps. */
  readonly step: Readonly<Record<string, unknown>>;
  /** Publishes a progress step (monotonic) to the owner. */
  progress(progress: Progress): Promise<void>;
  /** Publishes a piece of the answer to the owner, in order. Resolves when it is on its way; batches under load. */
  token(text: string): void;
}

/** What a handler returns: a result, or what comes next. */
export type HandlerOutcome<N extends JobName> =
  /** Finished. `charged: false` for what costs nothing (a cached answer, a user without manuals). */
  | {
      readonly kind: 'done';
      /** `usage` is filled in by the wrapper where the result schema has it. */
      readonly result: Omit<JobResult<N>, 'usage'>;
      readonly charged?: boolean;
      readonly tokens?: { readonly input: number; readonly output: number };
      /** What may go on while the outcome is recorded; the owner is told after it. Must not fail. */
      readonly meanwhile?: Promise<void>;
    }
  /** Look again after `delayMs`; the slot is free meanwhile. `step` replaces the step memory. */
  | { readonly kind: 'again'; readonly delayMs: number; readonly step: Record<string, unknown> }
  /** Go on as another job under the same id (voice -> query). */
  | { [M in JobName]: { readonly kind: 'hand-over'; readonly job: M; readonly payload: JobPayload<M> } }[JobName];

export type Handler<N extends JobName> = (job: JobContext<N>) => Promise<HandlerOutcome<N>>;
/** One handler for every job of the queue: a missing one does not compile. */
export type Handlers<Q extends QueueName> = { readonly [N in JobsOnQueue<Q>]: Handler<N> };

export interface RunWorkerOptions<Q extends QueueName> {
  readonly queue: Q;
  readonly handlers: Handlers<Q>;
  readonly concurrency?: number;
  /**
   * Called once for a job that ends other than completed (failed for good, cancelled, expired), after the ledger knows it:
   * to remove what it left behind. Must be safe to call again.
   */
  readonly onAbandoned?: (job: { name: JobsOnQueue<Q>; envelope: Envelope; status: JobStatus }) => Promise<void>;
}

export interface RunningWorker {
  /** Progress, not a ping: consumed recently, or nothing to consume. */
  live(): Promise<{ ok: boolean; detail: Record<string, unknown> }>;
  ready(): Promise<void>;
  /** Brings a step job's next step forward, when what it waits for has happened. One that does not wait is left alone. */
  wake(jobId: string): Promise<void>;
  /** Stops taking jobs, waits for those running until the deadline, then gives them back. */
  close(deadlineMs?: number): Promise<void>;
}

export type RunWorker = <Q extends QueueName>(
  deps: QueueDependencies,
  options: RunWorkerOptions<Q>,
) => Promise<RunningWorker>;

// ---------------------------------------------------------------- error-processor's side

export interface FailedJob {
  readonly queue: QueueName;
  readonly envelope: Envelope;
  readonly job: JobName;
  /** The failure's code; `internal` when it cannot be told. */
  readonly code: ErrorCode;
  /** Why, for operators. */
  readonly reason: string;
  readonly attempts: number;
  readonly failed_at: number;
}

export interface Janitor {
  /** One sweep: re-enqueue open rows that Redis does not know, expire what is overdue, settle what is terminal. */
  sweep(): Promise<{ seen: number; requeued: number; expired: number; settled: number }>;
  /** Jobs in the failed sets that have not become dead letters; `done(job)` takes one off. */
  failed(limit: number): Promise<FailedJob[]>;
  /** The job has become a dead letter: takes it off the failed set. */
  done(job: FailedJob): Promise<void>;
  close(): Promise<void>;
}

export interface QueueState {
  readonly name: QueueName;
  readonly waiting: number;
  readonly active: number;
  readonly delayed: number;
  readonly failed: number;
  readonly paused: boolean;
  readonly oldest_waiting_s: number;
}

/** What operators see of the queues, and the handles Bull Board needs. */
export interface QueueInspector {
  states(): Promise<QueueState[]>;
  pause(name: QueueName): Promise<void>;
  resume(name: QueueName): Promise<void>;
  /** BullMQ's handles, for Bull Board's adapters. Throws `unavailable` while Redis is down. */
  queues(): readonly Queue[];
  close(): Promise<void>;
}

export type { JobResult, UserEvent };

import type {
  ErrorCode,
  FieldError,
  JobClass,
  JobName,
  JobStatus,
  ManualStatus,
  Operation,
  Progress,
  UsageDay,
  UsageKind,
} from '@manuel/contracts';

/**
 * The ledger: the durable record of jobs, usage and manuals in DynamoDB. Redis may be wiped whole; what stands here is true.
 *
 * Only single-item conditional writes: no transactions (cheaper, and the local emulator has none). Whatever must happen
 * exactly once is fenced by the job's id.
 *
 * Every read and write of a user's data takes the owner's id as part of the key; another user's id finds nothing.
 */

export interface StoredFailure {
  readonly code: ErrorCode;
  /** Safe to show. */
  readonly detail: string;
  readonly retryable: boolean;
  readonly errors?: readonly FieldError[];
}

/** One row of `<prefix>-jobs`: partition key user_id, sort key job_id. */
export interface JobRow {
  readonly user_id: string;
  readonly job_id: string;
  readonly operation: Operation;
  /** The job that carries it now; a voice job is `voice` first, `query` after its hand-over. */
  readonly job: JobName;
  readonly class: JobClass;
  readonly status: JobStatus;
  /** Of the job that carries it now. Ids and keys only. */
  readonly payload: unknown;
  /** Milliseconds since 1970, like all times of the ledger. */
  readonly created_at: number;
  readonly expires_at: number;
  readonly started_at?: number;
  readonly finished_at?: number;
  readonly attempts: number;
  readonly progress?: Progress;
  readonly result?: Record<string, unknown>;
  readonly error?: StoredFailure;
  readonly request_id: string;
  readonly traceparent?: string;
  /** What the job counts as; null: free of quota. */
  readonly usage: UsageKind;
  /** With an Idempotency-Key: SHA-256 of the canonical body, and the status line that was answered. */
  readonly body_sha256?: string;
  readonly answered_status?: number;
  /** Present while the job is not terminal (sparse index for the sweeper); the value is the shard. */
  readonly open?: string;
  /** What is worth keeping but is no part of the result: a transcript's word timings. */
  readonly detail?: Record<string, unknown>;
}

/** With `finished_at`: what was answered at once, without a job. Kept for its Idempotency-Key alone: it is in no list. */
export type NewJobRow = Omit<JobRow, 'status' | 'attempts' | 'open' | 'detail'>;

export type PutOutcome = { readonly created: true } | { readonly created: false; readonly existing: JobRow };

export interface Outcome {
  readonly status: 'completed' | 'failed' | 'cancelled' | 'expired';
  readonly finished_at: number;
  readonly started_at?: number;
  readonly attempts: number;
  /** How far it had come, of a job that started and did not complete. */
  readonly progress?: Progress;
  readonly result?: Record<string, unknown>;
  readonly error?: StoredFailure;
  readonly tokens?: { readonly input: number; readonly output: number };
}

export interface JobsLedger {
  /** A row whose id is fresh (no Idempotency-Key): may ride a batch (group commit). Throws `unavailable` when not durable. */
  add(row: NewJobRow): Promise<void>;
  /** A row whose id an Idempotency-Key derives: conditional put. */
  put(row: NewJobRow): Promise<PutOutcome>;
  get(userId: string, jobId: string): Promise<JobRow | undefined>;
  list(
    userId: string,
    query: { status?: JobStatus; operation?: Operation; limit: number; cursor?: string },
  ): Promise<{ items: JobRow[]; next_cursor: string | null }>;
  /**
   * The one transition to a terminal state. `won` is false when another got there first: then `row` is what stands, and the
   * caller must make its effects agree with it.
   */
  finish(userId: string, jobId: string, outcome: Outcome): Promise<{ won: boolean; row: JobRow | undefined }>;
  /** Voice: the same job goes on as another (conditional on not being terminal). False: it is terminal. */
  handOver(userId: string, jobId: string, next: { job: JobName; payload: unknown }): Promise<boolean>;
  /** Notes when a job started, of one that lives long enough for the sweeper to see. False: it has ended. */
  started(userId: string, jobId: string, startedAt: number): Promise<boolean>;
  /** Keeps detail beside the result of a job that has not ended; too large detail is left out. False: it has ended. */
  keepDetail(userId: string, jobId: string, detail: Record<string, unknown>): Promise<boolean>;
  /** Open rows of one user (for rebuilding counters). */
  openOf(userId: string): Promise<JobRow[]>;
  /** Open rows of all users older than `before`, oldest first, page by page (for the sweeper). */
  open(before: number): AsyncIterable<JobRow>;
}

export interface UsageTotals {
  readonly daily_used: number;
  readonly monthly_used: number;
  /** Which of the jobs that were asked about are among the used. */
  readonly charged: readonly string[];
}

export interface UsageLedger {
  /**
   * Makes the usage of a finished job what its outcome says: charged once when completed, not charged otherwise.
   * Safe to call any number of times (fenced by the job's id in the day's item).
   */
  settle(job: {
    user_id: string;
    job_id: string;
    operation: Operation;
    usage: UsageKind;
    /** The day it counts on: the day of admission, UTC. */
    created_at: number;
    charged: boolean;
    tokens?: { input: number; output: number };
  }): Promise<void>;
  /** `about`: jobs of which it matters whether they are counted already, some hundreds at most. */
  totals(userId: string, now: number, about?: readonly string[]): Promise<UsageTotals>;
  history(
    userId: string,
    days: number,
    now: number,
  ): Promise<{ days: UsageDay[]; by_operation: Record<string, number> }>;
  /** Per-user overrides of the quota. */
  limits(userId: string): Promise<{ daily_limit?: number; monthly_limit?: number }>;
  setLimits(userId: string, limits: { daily_limit?: number; monthly_limit?: number }): Promise<void>;
}

/** One row of `<prefix>-manuals`: partition key user_id, sort key manual_id. */
export interface ManualRow {
  readonly user_id: string;
  readonly manual_id: string;
  /** As the user named it. */
  readonly filename: string;
  readonly content_type: string;
  readonly bytes: number;
  readonly pages: number;
  readonly status: ManualStatus;
  readonly error?: { readonly code: ErrorCode; readonly detail: string };
  readonly created_at: number;
  readonly updated_at: number;
  /** S3 key of the stored object; undefined until it is stored. */
  readonly s3_key?: string;
  readonly sha256?: string;
  readonly title?: string;
  readonly upload_method: string;
  readonly source_url?: string;
  /** The ingest or delete job that works on it now. */
  readonly job_id?: string;
  readonly replaces?: string;
}

export interface ManualsLedger {
  /** Creates the row; false when the id exists. */
  create(row: ManualRow): Promise<boolean>;
  get(userId: string, manualId: string): Promise<ManualRow | undefined>;
  list(
    userId: string,
    query: { limit: number; cursor?: string },
  ): Promise<{ items: ManualRow[]; next_cursor: string | null }>;
  /** All manuals of a user that are in the given states. */
  all(userId: string, statuses?: readonly ManualStatus[]): Promise<ManualRow[]>;
  /**
   * Changes fields while `when` holds (`status` one of those given); undefined when the row is gone or in another state.
   */
  update(
    userId: string,
    manualId: string,
    change: Partial<Omit<ManualRow, 'user_id' | 'manual_id' | 'created_at' | 'error'>> & {
      error?: ManualRow['error'] | null;
    },
    when?: { status: readonly ManualStatus[] },
  ): Promise<ManualRow | undefined>;
  remove(userId: string, manualId: string): Promise<void>;
  findBySha256(userId: string, sha256: string): Promise<ManualRow | undefined>;
  /** Raised at each upload that became ready and at each delete; part of the key of cached answers. */
  version(userId: string): Promise<number>;
  bumpVersion(userId: string): Promise<number>;
  /** Every row of every user (for the reconciler). */
  scan(): AsyncIterable<ManualRow>;
}

export interface ConversationTurn {
  readonly question: string;
  readonly answer: string;
  readonly at: number;
}

export interface ConversationsLedger {
  turns(userId: string, conversationId: string): Promise<ConversationTurn[]>;
  /**
   * Appends a turn once (fenced by job id), keeping the last `maxTurns`. `fresh`: the conversation is most likely new, so the
   * write is tried without reading first.
   */
  append(
    userId: string,
    conversationId: string,
    jobId: string,
    turn: ConversationTurn,
    maxTurns: number,
    fresh?: boolean,
  ): Promise<void>;
}

/** An announced upload: what the client may put where. One row of `<prefix>-uploads`. */
export interface UploadRow {
  readonly user_id: string;
  readonly upload_id: string;
  readonly kind: 'audio' | 'manual';
  readonly key: string;
  readonly content_type: string;
  readonly size: number;
  readonly filename?: string;
  readonly created_at: number;
}

export interface UploadsLedger {
  create(row: UploadRow): Promise<void>;
  get(userId: string, uploadId: string): Promise<UploadRow | undefined>;
}

export interface FeedbackRow {
  readonly user_id: string;
  readonly job_id: string;
  readonly rating: 'up' | 'down';
  readonly comment?: string;
  readonly question: string;
  readonly answer: string;
  readonly model: string;
  readonly passages: readonly { manual_id: string; page: number | null; excerpt: string }[];
  readonly created_at: number;
}

export interface FeedbackLedger {
  put(row: FeedbackRow): Promise<void>;
  /** Newest first, of all users (for evaluation). */
  scan(rating?: 'up' | 'down'): AsyncIterable<FeedbackRow>;
}

export type Severity = 'critical' | 'high' | 'medium' | 'low';

/** A job that failed for good. One row of `<prefix>-dead-letters`. */
export interface DeadLetterRow {
  readonly id: string;
  readonly fingerprint: string;
  readonly severity: Severity;
  readonly queue: string;
  readonly job: JobName;
  readonly job_id: string;
  readonly user_id: string;
  readonly operation: string;
  readonly code: string;
  readonly reason: string;
  readonly attempts: number;
  readonly payload: unknown;
  readonly failed_at: number;
  readonly replayed_at?: number;
}

export interface DeadLettersLedger {
  /** Stores it once (by id); false when it is known. */
  put(row: DeadLetterRow, retentionDays: number): Promise<boolean>;
  get(id: string): Promise<DeadLetterRow | undefined>;
  list(query: {
    severity?: Severity;
    fingerprint?: string;
    operation?: string;
    limit: number;
    cursor?: string;
  }): Promise<{ items: DeadLetterRow[]; next_cursor: string | null }>;
  /** Raises the fingerprint's count; tells the count and whether an alert is due in this window (claimed by the caller). */
  count(fingerprint: string, now: number, windowS: number): Promise<{ count: number; alertDue: boolean }>;
  markReplayed(id: string, at: number): Promise<void>;
}

export interface Ledger extends AsyncDisposable {
  readonly jobs: JobsLedger;
  readonly usage: UsageLedger;
  readonly manuals: ManualsLedger;
  readonly conversations: ConversationsLedger;
  readonly uploads: UploadsLedger;
  readonly feedback: FeedbackLedger;
  readonly deadLetters: DeadLettersLedger;
  /** Creates missing tables and waits for them (local runs and tests). */
  createTables(): Promise<void>;
  /** Resolves when DynamoDB answers and the tables are there; for /readyz. */
  ping(): Promise<void>;
  close(): Promise<void>;
}

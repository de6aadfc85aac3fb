import type { ErrorCode, JobName } from '@manuel/contracts';
import type { DeadLettersLedger } from '@manuel/ledger';
import type { Logger } from '@manuel/telemetry';

export interface Alert {
  readonly subject: string;
  readonly message: string;
  readonly attributes: Readonly<Record<string, string>>;
}

/** What the domain needs of the outside. */
export interface Outside {
  readonly logger: Logger;
  readonly deadLetters: DeadLettersLedger;
  /** Days a dead letter is kept. */
  readonly retentionDays: number;
  /** Seconds in which one alert is raised for each fingerprint. */
  readonly alertWindowS: number;
  alert(alert: Alert): Promise<void>;
}

/** A job that failed for good, as the queues hand it over. */
export interface Failure {
  readonly queue: string;
  readonly job: JobName;
  readonly jobId: string;
  readonly userId: string;
  readonly operation: string;
  readonly code: ErrorCode;
  readonly reason: string;
  readonly attempts: number;
  readonly payload: unknown;
  /** Milliseconds since 1970. */
  readonly failedAt: number;
}

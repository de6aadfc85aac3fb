import type { z } from 'zod';

/** Four classes of service; lower runs first. Inside a class users take turns. */
export const jobClasses = ['critical', 'high', 'normal', 'low'] as const;
export type JobClass = (typeof jobClasses)[number];

/** One queue a worker. */
export const queueNames = ['transcribe', 'query', 'ingest'] as const;
export type QueueName = (typeof queueNames)[number];

/** Names of the retry policies in the parameter file (`retry.<name>`). */
export const retryPolicyNames = ['bedrock', 'transcribe', 'dynamodb', 's3', 'fetch'] as const;
export type RetryPolicyName = (typeof retryPolicyNames)[number];

/** What a client asked for; the first part of the job's id. */
export const operations = ['transcribe', 'query', 'voice', 'ingest', 'delete'] as const;
export type Operation = (typeof operations)[number];

/** Which counter of the usage history a finished job raises; null: the job is free of quota. */
export type UsageKind = 'queries' | 'transcriptions' | null;

export interface JobDefinition<
  Name extends string = string,
  Payload extends z.ZodType = z.ZodType,
  Result extends z.ZodType = z.ZodType,
  Queue extends QueueName = QueueName,
> {
  readonly name: Name;
  readonly queue: Queue;
  /** One line for Bull Board, OpenAPI and docs/jobs.md. */
  readonly summary: string;
  /** Lenient (unknown fields are dropped), so that a rolling deploy never fails jobs of a newer version. */
  readonly payload: Payload;
  readonly result: Result;
  readonly defaultClass: JobClass;
  readonly usage: UsageKind;
  readonly retry: RetryPolicyName;
  /** Seconds: not started by then, it expires. */
  readonly expiresInS: number;
  /** Milliseconds one run of the handler (one step of a step job) may take; undefined: `queue.timeout_ms`. */
  readonly timeLimitMs?: number;
  /** Seconds a step job may live from its first start, all steps together. */
  readonly maxLifetimeS?: number;
  /** Progress steps in order, each with its percentage. */
  readonly steps: Readonly<Record<string, number>>;
  /** Payload fields that Bull Board and logs must not show. */
  readonly redact: readonly string[];
}

/** Keeps name and queue as literal types: by them a worker's handlers are checked to be complete. */
export function defineJob<
  const Name extends string,
  Payload extends z.ZodType,
  Result extends z.ZodType,
  const Queue extends QueueName,
>(definition: JobDefinition<Name, Payload, Result, Queue>): JobDefinition<Name, Payload, Result, Queue> {
  return definition;
}

export type PayloadOf<D extends JobDefinition> = z.infer<D['payload']>;
export type ResultOf<D extends JobDefinition> = z.infer<D['result']>;

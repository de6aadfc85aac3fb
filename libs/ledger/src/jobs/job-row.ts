import {
  errorCodes,
  isTerminal,
  jobClasses,
  type JobName,
  jobs,
  jobStatuses,
  ManuelError,
  operations,
  progressSchema,
} from '@manuel/contracts';
import { hash } from 'node:crypto';
import { z } from 'zod';
import { expiryOf, timeKey } from '../tables.ts';
import type { JobRow, NewJobRow } from '../types.ts';

/** DynamoDB's limit of an item is 400 KB: for payload, result and detail together, and keys and the rest of the row. */
const largestBytes = { payload: 40_000, result: 250_000, detail: 80_000 } as const;
/** Days an Idempotency-Key is kept, and its last one. */
const daysOfKey = 2;
const shards = 8;
const usersRemembered = 10_000;
const shardsOfUsers = new Map<string, string>();

/** Payload and result lie as JSON text: smaller and quicker than DynamoDB's maps, and of any depth. */
const jsonText = z.string().transform((text, context): unknown => {
  try {
    return JSON.parse(text);
  } catch (error) {
    context.addIssue(`is not JSON: ${String(error)}`);
    return z.NEVER;
  }
});

const storedFailureSchema = z.object({
  code: z.enum(errorCodes),
  detail: z.string(),
  retryable: z.boolean(),
  errors: z.array(z.object({ path: z.string(), message: z.string() })).exactOptional(),
});

const jobRowSchema = z.object({
  user_id: z.string(),
  job_id: z.string(),
  operation: z.enum(operations),
  // Safe: the keys of the catalogue are the job names.
  job: z.enum(Object.keys(jobs) as [JobName, ...JobName[]]),
  class: z.enum(jobClasses),
  status: z.enum(jobStatuses),
  payload: jsonText,
  created_at: z.number(),
  expires_at: z.number(),
  started_at: z.number().exactOptional(),
  finished_at: z.number().exactOptional(),
  attempts: z.number(),
  progress: progressSchema.exactOptional(),
  result: jsonText.pipe(z.record(z.string(), z.unknown())).exactOptional(),
  error: storedFailureSchema.exactOptional(),
  request_id: z.string(),
  traceparent: z.string().exactOptional(),
  usage: z.enum(['queries', 'transcriptions']).nullable(),
  body_sha256: z.string().exactOptional(),
  answered_status: z.number().exactOptional(),
  open: z.string().exactOptional(),
  detail: jsonText.pipe(z.record(z.string(), z.unknown())).exactOptional(),
});

/** A row as DynamoDB gave it. Throws when it is not one that we wrote. */
export const toJobRow = (item: unknown): JobRow => jobRowSchema.parse(item);

/** Open rows of one user are in one shard of the index, so that they can be found without reading the user's history. */
export function shardOf(userId: string): string {
  const known = shardsOfUsers.get(userId);
  if (known !== undefined) return known;
  const shard = String((hash('sha256', userId, 'buffer')[0] ?? 0) % shards);
  if (shardsOfUsers.size >= usersRemembered) shardsOfUsers.clear();
  shardsOfUsers.set(userId, shard);
  return shard;
}
export const allShards: readonly string[] = Array.from({ length: shards }, (_none, shard) => String(shard));

export function toJobItem(row: NewJobRow, retentionDays: number): Record<string, unknown> {
  const payload = toPayloadText(row.payload);
  const result = row.result === undefined ? undefined : toResultText(row.result);
  if (row.finished_at !== undefined) {
    return { ...row, payload, result, status: 'completed', attempts: 0, ttl: expiryOf(row.created_at, daysOfKey) };
  }
  return {
    ...row,
    payload,
    result,
    status: 'queued',
    attempts: 0,
    open: shardOf(row.user_id),
    created_key: timeKey(row.created_at, row.job_id),
    ttl: expiryOf(row.created_at, retentionDays),
  };
}

export const isOpen = (row: JobRow): boolean => !isTerminal(row.status);

function toJsonText(value: unknown, what: 'payload' | 'result'): string {
  const text = JSON.stringify(value);
  if (text === undefined) throw new ManuelError('internal', `The job has no ${what}.`, { retryable: false });
  if (Buffer.byteLength(text) <= largestBytes[what]) return text;
  throw new ManuelError('payload_too_large', `The job’s ${what} is larger than ${largestBytes[what] / 1000} KB.`);
}

export const toPayloadText = (payload: unknown): string => toJsonText(payload, 'payload');
export const toResultText = (result: Record<string, unknown>): string => toJsonText(result, 'result');

/** Detail as it is stored; undefined when it would take more than its share of the item. */
export function toDetailText(detail: Record<string, unknown>): string | undefined {
  const text = JSON.stringify(detail);
  return Buffer.byteLength(text) <= largestBytes.detail ? text : undefined;
}

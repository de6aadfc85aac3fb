import { type JobName, jobs } from '@manuel/contracts';
import { z } from 'zod';
import type { DeadLetterRow, Severity } from '../types.ts';

export const severities = ['critical', 'high', 'medium', 'low'] as const satisfies readonly Severity[];

const deadLetterSchema = z.object({
  id: z.string(),
  fingerprint: z.string(),
  severity: z.enum(severities),
  queue: z.string(),
  // Safe: the keys of the catalogue are the job names.
  job: z.enum(Object.keys(jobs) as [JobName, ...JobName[]]),
  job_id: z.string(),
  user_id: z.string(),
  operation: z.string(),
  code: z.string(),
  reason: z.string(),
  attempts: z.number(),
  payload: z.string().transform((text): unknown => JSON.parse(text)),
  failed_at: z.number(),
  replayed_at: z.number().exactOptional(),
});

/** A row as DynamoDB gave it. Throws when it is not one that we wrote. */
export const toDeadLetter = (item: unknown): DeadLetterRow => deadLetterSchema.parse(item);

import { z } from 'zod';
import { defineJob, queueNames } from '../define-job.ts';

/** A job that failed for good, found by reconciling the failed sets. */
export const deadLetterJob = defineJob({
  name: 'dead-letter',
  queue: 'dead-letter',
  summary: 'Turns a job that failed for good into one dead letter: classified, counted, stored, alerted',
  payload: z.object({
    queue: z.enum(queueNames),
    job_id: z.string(),
    job: z.string(),
    user_id: z.string(),
    operation: z.string(),
    reason: z.string(),
    attempts: z.number().int().nonnegative(),
    failed_at: z.number(),
  }),
  result: z.object({ dead_letter_id: z.string() }),
  defaultClass: 'high',
  usage: null,
  retry: 'dynamodb',
  expiresInS: 86_400 * 7,
  timeLimitMs: 30_000,
  steps: { queued: 0, done: 100 },
  redact: ['reason'],
});

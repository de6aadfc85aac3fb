import { z } from 'zod';
import { timestampSchema, userIdSchema } from '../common.ts';
import { operations, queueNames } from '../define-job.ts';
import { cursorSchema, limitSchema } from './jobs.ts';

const ratio = z.number().min(0).max(1).nullable();

/** `GET /api/ops/health`. Null stands for what nothing is known of yet. */
export const opsHealthSchema = z.object({
  overall: z.enum(['healthy', 'degraded', 'unhealthy']),
  /** This gateway's answers in the window of `degradation.window_ms`. */
  performance: z.object({
    requests: z.number().int().nonnegative(),
    /** Share of answers with a status from 500. */
    error_rate: ratio,
    p50_ms: z.number().nonnegative().nullable(),
    p95_ms: z.number().nonnegative().nullable(),
  }),
  queues: z.array(
    z.object({
      name: z.enum(queueNames),
      waiting: z.number().int().nonnegative(),
      active: z.number().int().nonnegative(),
      delayed: z.number().int().nonnegative(),
      failed: z.number().int().nonnegative(),
      paused: z.boolean(),
      oldest_waiting_s: z.number().nonnegative(),
    }),
  ),
  cache: z.object({ hit_rate: ratio }).loose(),
  degradation: z.object({ degraded: z.boolean(), failure_rate: ratio }).loose(),
  breakers: z.array(
    z.object({
      name: z.string(),
      state: z.enum(['closed', 'open', 'half-open']),
      consecutive_failures: z.number().int().nonnegative(),
      opened_at: z.number().nullable(),
    }),
  ),
  /** What could not be asked, in words. */
  missing: z.array(z.string()),
});
export type OpsHealth = z.infer<typeof opsHealthSchema>;

export const severities = ['critical', 'high', 'medium', 'low'] as const;

export const listDeadLettersQuerySchema = z.strictObject({
  severity: z.enum(severities).optional(),
  fingerprint: z
    .string()
    .regex(/^[A-Za-z0-9_-]{1,128}$/, 'is not a fingerprint')
    .optional(),
  operation: z.enum(operations).optional(),
  limit: limitSchema,
  cursor: cursorSchema,
});

/** A job that failed for good, as operators see it. */
export const deadLetterViewSchema = z.object({
  id: z.string(),
  fingerprint: z.string(),
  severity: z.enum(severities),
  queue: z.string(),
  job_id: z.string(),
  user_id: z.string(),
  operation: z.string(),
  code: z.string(),
  reason: z.string(),
  attempts: z.number().int().nonnegative(),
  failed_at: timestampSchema,
  replayed_at: timestampSchema.nullable(),
});
export type DeadLetterView = z.infer<typeof deadLetterViewSchema>;

export const invalidateRequestSchema = z.strictObject({
  operation: z.enum(['query', 'voice', 'transcribe']).optional(),
  user_id: userIdSchema.optional(),
});

export const quotaRequestSchema = z
  .strictObject({
    daily_limit: z.number().int().min(0).max(1_000_000_000).optional(),
    monthly_limit: z.number().int().min(0).max(1_000_000_000).optional(),
  })
  .refine(
    (body) => body.daily_limit !== undefined || body.monthly_limit !== undefined,
    'give daily_limit, monthly_limit or both',
  );

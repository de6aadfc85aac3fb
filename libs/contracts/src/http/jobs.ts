import { z } from 'zod';
import { timestampSchema } from '../common.ts';
import { jobClasses, operations } from '../define-job.ts';
import { problemSchema } from '../errors.ts';

export const jobStatuses = ['queued', 'active', 'completed', 'failed', 'cancelled', 'expired'] as const;
export type JobStatus = (typeof jobStatuses)[number];
export const terminalStatuses: readonly JobStatus[] = ['completed', 'failed', 'cancelled', 'expired'];
export const isTerminal = (status: JobStatus): boolean => terminalStatuses.includes(status);

export const progressSchema = z.object({
  step: z.string(),
  percent: z.number().min(0).max(100),
  /** A voice job's words, as soon as they are known. */
  transcription: z.string().optional(),
  message: z.string().optional(),
});
export type Progress = z.infer<typeof progressSchema>;

export const jobViewSchema = z.object({
  id: z.string(),
  operation: z.enum(operations),
  status: z.enum(jobStatuses),
  priority: z.enum(jobClasses),
  created_at: timestampSchema,
  started_at: timestampSchema.nullable(),
  finished_at: timestampSchema.nullable(),
  attempts: z.number().int().nonnegative(),
  progress: progressSchema,
  result: z.record(z.string(), z.unknown()).nullable(),
  error: problemSchema.nullable(),
  links: z.object({ self: z.string(), events: z.string() }),
});
/** A job as its owner sees it. */
export type JobView = z.infer<typeof jobViewSchema>;

export const limitSchema = z.coerce.number().int().min(1).max(100).default(20);
export const cursorSchema = z.string().min(1).max(1024).optional();

export const listJobsQuerySchema = z.strictObject({
  status: z.enum(jobStatuses).optional(),
  operation: z.enum(operations).optional(),
  limit: limitSchema,
  cursor: cursorSchema,
});

export const pageOf = <T extends z.ZodType>(item: T) =>
  z.object({ items: z.array(item), next_cursor: z.string().nullable() });

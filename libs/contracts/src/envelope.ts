import { z } from 'zod';
import { userIdSchema } from './common.ts';
import { jobClasses, operations } from './define-job.ts';
import { progressSchema } from './http/jobs.ts';

/**
 * What lies in Redis as a job's data, whatever the job. Ids and S3 keys only: never audio, files or secrets.
 * The id of the BullMQ job, of the ledger row and of what the client sees is the same.
 */
export const envelopeSchema = z.object({
  id: z.string(),
  user_id: userIdSchema,
  /** What the client asked for; differs from the job's name in a voice job's second half. */
  operation: z.enum(operations),
  class: z.enum(jobClasses),
  request_id: z.string(),
  traceparent: z.string().optional(),
  /** Milliseconds since 1970. */
  created_at: z.number(),
  /** Milliseconds since 1970; not started by then means expired. */
  expires_at: z.number(),
  /** What the first half of a handed-over job leaves to the second, so that the client sees one job going on. */
  carried: z.object({ started_at: z.number(), progress: progressSchema.optional() }).optional(),
  /** Free of quota whatever its job says: made by the system itself (a warm-up, a replay). */
  free: z.boolean().optional(),
  payload: z.unknown(),
  /** A step job's own memory between its steps. */
  step: z.record(z.string(), z.unknown()).optional(),
});
export type Envelope = z.infer<typeof envelopeSchema>;

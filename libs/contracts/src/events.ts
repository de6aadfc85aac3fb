import { z } from 'zod';
import { jobViewSchema, progressSchema } from './http/jobs.ts';
import { operations } from './define-job.ts';
import { problemSchema } from './errors.ts';

/** What a worker publishes to its owner's stream. Every event has an id (`<ms>-<n>`, Redis' own) by which a client resumes. */
export const userEventSchema = z.discriminatedUnion('type', [
  z.object({ type: z.literal('job'), job: jobViewSchema }),
  z.object({ type: z.literal('progress'), job_id: z.string(), progress: progressSchema }),
  z.object({ type: z.literal('token'), job_id: z.string(), seq: z.number().int().nonnegative(), text: z.string() }),
]);
export type UserEvent = z.infer<typeof userEventSchema>;
export interface StoredEvent {
  readonly id: string;
  readonly event: UserEvent;
}

/** What a client may send over `/ws`. */
export const clientMessageSchema = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('resume'), last_event_id: z.string().regex(/^\d{1,16}-\d{1,16}$/) }),
  z.strictObject({
    type: z.literal('submit'),
    operation: z.enum(operations),
    body: z.record(z.string(), z.unknown()),
    ref: z.string().min(1).max(64),
  }),
  z.strictObject({ type: z.literal('cancel'), job_id: z.string().min(1).max(64) }),
  z.strictObject({ type: z.literal('ping') }),
  z.strictObject({
    type: z.literal('audio_start'),
    content_type: z.string().max(128),
    sample_rate: z.number().int().min(8000).max(48_000),
    language_code: z.string().max(10).optional(),
  }),
  z.strictObject({ type: z.literal('audio_end') }),
]);
export type ClientMessage = z.infer<typeof clientMessageSchema>;

/** What the server sends over `/ws`. */
export const serverMessageSchema = z.discriminatedUnion('type', [
  z.object({ type: z.literal('hello'), last_event_id: z.string() }),
  z.object({ type: z.literal('job'), id: z.string(), job: jobViewSchema }),
  z.object({ type: z.literal('progress'), id: z.string(), job_id: z.string(), progress: progressSchema }),
  z.object({ type: z.literal('token'), id: z.string(), job_id: z.string(), seq: z.number(), text: z.string() }),
  z.object({ type: z.literal('accepted'), ref: z.string(), job: jobViewSchema }),
  z.object({ type: z.literal('error'), ref: z.string().optional(), problem: problemSchema }),
  z.object({ type: z.literal('partial'), text: z.string() }),
  z.object({ type: z.literal('pong') }),
]);
export type ServerMessage = z.infer<typeof serverMessageSchema>;

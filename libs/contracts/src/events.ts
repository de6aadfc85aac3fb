import { z } from 'zod';
import { jobViewSchema, progressSchema } from './http/jobs.ts';
import { operations } from './define-job.ts';
import { problemSchema } from './errors.ts';
import { jobOptions, languageCodeSchema, queryOptions } from './http/requests.ts';

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

/** Names an answer's question; the client's own. */
const refSchema = z.union([z.string().min(1).max(64), z.number()], {
  error: 'must be a text of 1 to 64 characters or a number, of your own choice',
});
export type Ref = z.infer<typeof refSchema>;

/**
 * Opens a live microphone; binary frames of PCM and `audio_end` follow. Lenient: recorders name more of their sound than is
 * needed here.
 */
export const audioStartSchema = z.object({
  type: z.literal('audio_start'),
  /** `audio/pcm` or `audio/l16`: 16 bits, little endian, one channel. */
  content_type: z.string().min(1).max(128),
  /** Samples a second. */
  sample_rate: z.number().int().min(8000).max(48_000),
  language_code: languageCodeSchema,
  ref: refSchema.optional(),
  ...queryOptions,
  ...jobOptions,
});
export type AudioStart = z.infer<typeof audioStartSchema>;

/** What a client may send over `/ws`, beside the binary frames of a live microphone. */
export const clientMessageSchema = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('resume'), last_event_id: z.string().regex(/^\d{1,16}-\d{1,16}$/) }),
  z.strictObject({
    type: z.literal('submit'),
    operation: z.enum(operations),
    body: z.record(z.string(), z.unknown()),
    ref: refSchema,
  }),
  z.strictObject({ type: z.literal('cancel'), job_id: z.string().min(1).max(64), ref: refSchema.optional() }),
  z.strictObject({ type: z.literal('ping') }),
  audioStartSchema,
  z.object({ type: z.literal('audio_end') }),
]);
export type ClientMessage = z.infer<typeof clientMessageSchema>;

/** What the server sends over `/ws`. */
export const serverMessageSchema = z.discriminatedUnion('type', [
  z.object({ type: z.literal('hello'), last_event_id: z.string() }),
  z.object({ type: z.literal('job'), id: z.string(), job: jobViewSchema }),
  z.object({ type: z.literal('progress'), id: z.string(), job_id: z.string(), progress: progressSchema }),
  z.object({ type: z.literal('token'), id: z.string(), job_id: z.string(), seq: z.number(), text: z.string() }),
  /** `ref`: as in the message that it answers; an audio_start needs none. */
  z.object({ type: z.literal('accepted'), ref: refSchema.optional(), job: jobViewSchema }),
  z.object({ type: z.literal('error'), ref: refSchema.optional(), problem: problemSchema }),
  /** All that was heard so far of the live microphone; each text replaces the one before. */
  z.object({ type: z.literal('partial'), ref: refSchema.optional(), text: z.string() }),
  z.object({ type: z.literal('pong') }),
]);
export type ServerMessage = z.infer<typeof serverMessageSchema>;

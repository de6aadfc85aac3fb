import { z } from 'zod';
import {
  audioTypes,
  conversationIdSchema,
  manualIdSchema,
  manualTypes,
  personaSchema,
  uploadIdSchema,
} from '../common.ts';
import { jobClasses } from '../define-job.ts';

/** Strict at the HTTP edge: an unknown field is an error, so that a typing mistake is found at once. */
export const jobOptions = {
  priority: z.enum(jobClasses).default('normal'),
  /** Seconds until a job that has not started expires. */
  expires_in_s: z.number().int().min(1).max(86_400).optional(),
};

/** At least one visible character. */
const questionSchema = z
  .string()
  .max(2000, 'is longer than 2,000 characters')
  .refine((text) => /[\p{L}\p{N}]/u.test(text), 'holds no question: write at least one word');

export const queryOptions = {
  manual_ids: z.array(manualIdSchema).min(1).max(50).optional(),
  persona: personaSchema.default('default'),
  conversation_id: conversationIdSchema.optional(),
  max_results: z.number().int().min(1).max(20).optional(),
};

export const queryRequestSchema = z.strictObject({ question: questionSchema, ...queryOptions, ...jobOptions });
export type QueryRequest = z.infer<typeof queryRequestSchema>;

const audioContentType = z
  .string()
  .transform((text) => text.split(';')[0]?.trim().toLowerCase() ?? '')
  .pipe(z.enum(Object.keys(audioTypes) as [keyof typeof audioTypes, ...(keyof typeof audioTypes)[]]));

const audioInput = {
  /** Base64 of the whole recording; this or `audio_key`. */
  audio_data: z.string().min(1).optional(),
  /** Key from `POST /api/uploads`, after the upload. */
  audio_key: z.string().min(1).max(1024).optional(),
  content_type: audioContentType,
};
const oneAudio = (body: { audio_data?: string | undefined; audio_key?: string | undefined }): boolean =>
  (body.audio_data === undefined) !== (body.audio_key === undefined);
const oneAudioMessage = { message: 'give either audio_data or audio_key', path: ['audio_data'] };
export const languageCodeSchema = z
  .string()
  .regex(/^[a-z]{2,3}-[A-Z]{2}$/, 'is not a language code such as en-US')
  .optional();

export const transcribeRequestSchema = z
  .strictObject({ ...audioInput, language_code: languageCodeSchema, ...jobOptions })
  .refine(oneAudio, oneAudioMessage);
export type TranscribeRequest = z.infer<typeof transcribeRequestSchema>;

export const voiceRequestSchema = z
  .strictObject({ ...audioInput, language_code: languageCodeSchema, ...queryOptions, ...jobOptions })
  .refine(oneAudio, oneAudioMessage);
export type VoiceRequest = z.infer<typeof voiceRequestSchema>;

const filename = z.string().min(1).max(512);

export const uploadRequestSchema = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('audio'),
    content_type: audioContentType,
    /** Bytes. */
    size: z.number().int().min(1),
    filename: filename.optional(),
  }),
  z.strictObject({
    kind: z.literal('manual'),
    content_type: z.enum(Object.keys(manualTypes) as [keyof typeof manualTypes, ...(keyof typeof manualTypes)[]]),
    size: z.number().int().min(1),
    filename: filename.optional(),
  }),
]);
export type UploadRequest = z.infer<typeof uploadRequestSchema>;

export const manualUploadRequestSchema = z.union([
  z.strictObject({
    filename,
    content_type: z.string().min(1).max(128),
    /** Base64 of the whole file. */
    content: z.string().min(1),
    replaces: manualIdSchema.optional(),
    ...jobOptions,
  }),
  z.strictObject({ upload_id: uploadIdSchema, filename, replaces: manualIdSchema.optional(), ...jobOptions }),
  z.strictObject({
    source_url: z.string().min(1).max(2048),
    filename: filename.optional(),
    replaces: manualIdSchema.optional(),
    ...jobOptions,
  }),
]);
export type ManualUploadRequest = z.infer<typeof manualUploadRequestSchema>;

export const feedbackRequestSchema = z.strictObject({
  job_id: z.string().min(1).max(64),
  rating: z.enum(['up', 'down']),
  comment: z.string().max(2000).optional(),
});
export type FeedbackRequest = z.infer<typeof feedbackRequestSchema>;

export const idempotencyKeySchema = z
  .string()
  .regex(/^[\x21-\x7e]{1,255}$/, 'must be 1 to 255 visible ASCII characters');

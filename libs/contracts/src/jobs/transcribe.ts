import { z } from 'zod';
import { audioTypes, usageSummarySchema } from '../common.ts';
import { defineJob } from '../define-job.ts';
import { queryJob } from './query.ts';

/** A recording in the audio bucket, checked by the gateway (or to be checked by the worker when it came by upload). */
export const audioSourceSchema = z.object({
  audio_key: z.string().min(1).max(1024),
  content_type: z.enum(Object.keys(audioTypes) as [keyof typeof audioTypes, ...(keyof typeof audioTypes)[]]),
  /** Hex SHA-256 of the bytes, when the gateway has seen them. */
  audio_sha256: z
    .string()
    .regex(/^[0-9a-f]{64}$/)
    .optional(),
  /** ETag at admission of an uploaded object: a later, different object is refused. */
  etag: z.string().optional(),
  /** BCP 47; undefined: the language is identified. */
  language_code: z
    .string()
    .regex(/^[a-z]{2,3}-[A-Z]{2}$/)
    .optional(),
});

export const transcribeResultSchema = z.object({
  transcription: z.string(),
  /** Mean of the words' confidences, 0..1; null when the decoder gives none. */
  confidence: z.number().min(0).max(1).nullable(),
  duration_s: z.number().nonnegative(),
  language_code: z.string(),
  from_cache: z.boolean(),
  usage: usageSummarySchema,
});
export type TranscribeResult = z.infer<typeof transcribeResultSchema>;

const stepLimits = { timeLimitMs: 30_000, expiresInS: 600, maxLifetimeS: 3600 };

export const transcribeJob = defineJob({
  name: 'transcribe',
  queue: 'transcribe',
  summary: 'Turns a recording into text with Amazon Transcribe',
  payload: audioSourceSchema,
  result: transcribeResultSchema,
  defaultClass: 'normal',
  usage: 'transcriptions',
  retry: 'transcribe',
  ...stepLimits,
  steps: { queued: 0, checking: 10, transcribing: 30, fetching: 90, done: 100 },
  redact: [],
});

/** First half of a voice question. Its handler hands the job over to `query`, under the same id. */
export const voiceJob = defineJob({
  name: 'voice',
  queue: 'transcribe',
  summary: 'Transcribes a spoken question and hands it over to be answered, as one job to the client',
  payload: z.object({
    ...audioSourceSchema.shape,
    ...queryJob.payload.omit({ question: true, transcription: true, warm_up: true }).shape,
  }),
  result: queryJob.result,
  defaultClass: 'normal',
  usage: 'queries',
  retry: 'transcribe',
  ...stepLimits,
  steps: { queued: 0, checking: 5, transcribing: 15, retrieving: 50, answering: 70, done: 100 },
  redact: [],
});

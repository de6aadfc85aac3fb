import { z } from 'zod';
import { conversationIdSchema, manualIdSchema, personaSchema, usageSummarySchema } from '../common.ts';
import { defineJob } from '../define-job.ts';

export const citationSchema = z.object({
  manual_id: z.string(),
  filename: z.string(),
  /** 1-based, as a reader counts; null where the format has no pages. */
  page: z.number().int().positive().nullable(),
  /** The passage, verbatim. */
  excerpt: z.string(),
  score: z.number(),
  /** Start and end (exclusive) in the answer, in UTF-16 code units, of what the passage supports. */
  span: z.tuple([z.number().int().nonnegative(), z.number().int().nonnegative()]),
});
export type Citation = z.infer<typeof citationSchema>;

/** A passage that the model was given, best first. */
export const passageSchema = z.object({
  manual_id: z.string(),
  /** 1-based; null where the format has no pages. */
  page: z.number().int().positive().nullable(),
  score: z.number(),
});
export type PassageView = z.infer<typeof passageSchema>;

export const degradations = ['none', 'cached', 'simplified', 'template', 'error'] as const;
export type Degradation = (typeof degradations)[number];

export const queryResultSchema = z.object({
  answer: z.string(),
  citations: z.array(citationSchema),
  /** True when at least one passage of the user's manuals was given to the model. */
  context_used: z.boolean(),
  /** Model id; `none` when no model was asked. */
  model: z.string(),
  degradation: z.enum(degradations),
  from_cache: z.boolean(),
  conversation_id: conversationIdSchema,
  usage: usageSummarySchema,
  /** Only for `degradation: cached`: the earlier question that this answers. */
  similar_question: z.string().optional(),
  /** Only for `degradation: error`: what to quote to support. */
  support_id: z.string().optional(),
  /** Only in the result of a voice job. */
  transcription: z.string().optional(),
  /** What the answer was looked up in, best first: for feedback and evaluation. */
  passages: z.array(passageSchema).optional(),
  tokens: z.object({ input: z.number().int().nonnegative(), output: z.number().int().nonnegative() }).optional(),
});
export type QueryResult = z.infer<typeof queryResultSchema>;

export const queryJob = defineJob({
  name: 'query',
  queue: 'query',
  summary: 'Answers a question from the passages of the user’s own manuals, with citations',
  payload: z.object({
    question: z.string().min(1).max(2000),
    manual_ids: z.array(manualIdSchema).max(50).optional(),
    persona: personaSchema.default('default'),
    conversation_id: conversationIdSchema.optional(),
    max_results: z.number().int().min(1).max(20).optional(),
    /** Set on the second half of a voice job: what was heard. */
    transcription: z.string().optional(),
    /** Set on a warm-up: fills the cache, charges nothing, keeps no conversation. */
    warm_up: z.boolean().optional(),
  }),
  result: queryResultSchema,
  defaultClass: 'normal',
  usage: 'queries',
  retry: 'bedrock',
  expiresInS: 45,
  steps: { queued: 0, retrieving: 20, answering: 50, done: 100 },
  redact: ['question', 'transcription'],
});

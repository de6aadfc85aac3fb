import {
  queryRequestSchema,
  queryResultSchema,
  transcribeRequestSchema,
  transcribeResultSchema,
  voiceRequestSchema,
} from '@manuel/contracts';
import { submitOnce } from '../../domain/submission.ts';
import { submitQuery } from '../../domain/submit-query.ts';
import { submitTranscription, submitVoice } from '../../domain/submit-recording.ts';
import { answerSubmitted, submitHeaders } from '../answer-submitted.ts';
import { type Operation, operation } from '../operation.ts';
import { acceptedJob, preferenceApplied } from './answers.ts';
import { exampleAnswer, exampleJob, exampleJobOf, exampleManualId, exampleTranscription } from './examples.ts';

const submitErrors = [
  'forbidden',
  'quota_exceeded',
  'queue_full',
  'too_many_jobs',
  'idempotency_mismatch',
  'idempotency_in_flight',
  'timed_out',
  'cancelled',
  'expired',
  'upstream_failed',
] as const;

const audioErrors = [
  'not_found',
  'upload_missing',
  'upload_mismatch',
  'audio_unreadable',
  'audio_too_long',
  'no_speech',
  'transcription_failed',
] as const;

export const askOperations: readonly Operation[] = [
  operation({
    id: 'query',
    method: 'post',
    path: '/api/query',
    tag: 'Ask',
    summary: 'Ask a question about your manuals',
    description: 'Answers come from the caller’s own manuals alone, with citations by manual and page (1-based).',
    access: 'user',
    accepts: ['Prefer', 'Idempotency-Key'],
    body: queryRequestSchema,
    bodyExample: { question: 'How do I descale it?', manual_ids: [exampleManualId], persona: 'beginner' },
    answers: {
      200: {
        description: 'The answer: from the cache, or within the wait that was preferred',
        schema: queryResultSchema,
        example: exampleAnswer,
        headers: preferenceApplied,
      },
      202: acceptedJob(exampleJob),
    },
    errors: [...submitErrors, 'not_found'],
    async handle(gateway, { caller, body, request, response }) {
      const { waitS, idempotency } = submitHeaders(request, request.body);
      const submitted = await submitQuery(gateway, caller, body, idempotency);
      return answerSubmitted(gateway, { caller, response, waitS }, submitted);
    },
  }),
  operation({
    id: 'transcribe',
    method: 'post',
    path: '/api/transcribe',
    tag: 'Ask',
    summary: 'Turn a recording into text',
    description: 'Give the recording as base64, or upload it first (POST /api/uploads) and give its key.',
    access: 'user',
    accepts: ['Prefer', 'Idempotency-Key'],
    body: transcribeRequestSchema,
    bodyExample: { audio_data: 'UklGRiQAAABXQVZF…', content_type: 'audio/wav', language_code: 'en-US' },
    answers: {
      200: {
        description: 'The text, within the wait that was preferred',
        schema: transcribeResultSchema,
        example: exampleTranscription,
        headers: preferenceApplied,
      },
      202: acceptedJob(exampleJobOf('transcribe')),
    },
    errors: [...submitErrors, ...audioErrors],
    async handle(gateway, { caller, body, request, response }) {
      const { waitS, idempotency } = submitHeaders(request, request.body);
      const submitted = await submitOnce(gateway, caller, 'transcribe', idempotency, () =>
        submitTranscription(gateway, caller, body, idempotency),
      );
      return answerSubmitted(gateway, { caller, response, waitS }, submitted);
    },
  }),
  operation({
    id: 'voice',
    method: 'post',
    path: '/api/voice',
    tag: 'Ask',
    summary: 'Ask by voice: one job from recording to answer',
    access: 'user',
    accepts: ['Prefer', 'Idempotency-Key'],
    body: voiceRequestSchema,
    bodyExample: { audio_data: 'UklGRiQAAABXQVZF…', content_type: 'audio/wav', persona: 'default' },
    answers: {
      200: {
        description: 'What was heard, and the answer to it',
        schema: queryResultSchema.required({ transcription: true }),
        example: { transcription: exampleTranscription.transcription, ...exampleAnswer },
        headers: preferenceApplied,
      },
      202: acceptedJob(exampleJobOf('voice')),
    },
    errors: [...submitErrors, ...audioErrors],
    async handle(gateway, { caller, body, request, response }) {
      const { waitS, idempotency } = submitHeaders(request, request.body);
      const submitted = await submitOnce(gateway, caller, 'voice', idempotency, () =>
        submitVoice(gateway, caller, body, idempotency),
      );
      return answerSubmitted(gateway, { caller, response, waitS }, submitted);
    },
  }),
];

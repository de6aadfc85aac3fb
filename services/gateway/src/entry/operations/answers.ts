import { jobViewSchema } from '@manuel/contracts';
import type { Answer } from '../operation.ts';

/** 202: a durable job. */
export const acceptedJob = (example: unknown): Answer => ({
  description: 'Accepted: durable and queued. Follow Location, the events or the WebSocket.',
  schema: jobViewSchema,
  example,
  headers: { Location: 'The job', 'Retry-After': 'Seconds after which to look again' },
});

export const preferenceApplied = { 'Preference-Applied': 'The wait that was honoured' };

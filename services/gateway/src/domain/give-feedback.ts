import { type FeedbackRequest, ManuelError, queryResultSchema } from '@manuel/contracts';
import { z } from 'zod';
import type { Caller } from './caller.ts';
import type { Outside } from './outside.ts';

const askedSchema = z.object({ question: z.string().optional() });

/** Keeps what a user thinks of an answer, with all that it was made from. Throws `not_found` or `conflict`. */
export async function giveFeedback(
  outside: Pick<Outside, 'ledger'>,
  caller: Caller,
  body: FeedbackRequest,
): Promise<{ job_id: string; rating: 'up' | 'down'; created_at: string }> {
  const row = await outside.ledger.jobs.get(caller.userId, body.job_id);
  if (!row || (row.operation !== 'query' && row.operation !== 'voice')) {
    throw new ManuelError('not_found', 'There is no such question of yours.');
  }
  const result = queryResultSchema.partial().safeParse(row.result);
  if (row.status !== 'completed' || !result.success || result.data.answer === undefined) {
    throw new ManuelError('conflict', 'This question has no answer to rate.');
  }
  const { answer, citations = [], model = 'unknown', transcription } = result.data;
  const asked = askedSchema.safeParse(row.payload);
  const createdAt = Date.now();
  await outside.ledger.feedback.put({
    user_id: caller.userId,
    job_id: row.job_id,
    rating: body.rating,
    ...(body.comment === undefined ? {} : { comment: body.comment }),
    question: (asked.success ? asked.data.question : undefined) ?? transcription ?? '',
    answer,
    model,
    passages: citations.map(({ manual_id, page, excerpt }) => ({ manual_id, page, excerpt })),
    created_at: createdAt,
  });
  return { job_id: row.job_id, rating: body.rating, created_at: new Date(createdAt).toISOString() };
}

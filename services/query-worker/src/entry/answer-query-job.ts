import { jobs } from '@manuel/contracts';
import type { Handler, JobContext } from '@manuel/queues';
import { answerQuestion } from '../domain/answer-question.ts';
import type { Outside, Run } from '../domain/outside.ts';
import { type Question, conversationOf } from '../domain/question.ts';

function toQuestion(job: JobContext<'query'>): Question {
  const { question, persona, manual_ids, conversation_id, max_results, warm_up } = job.payload;
  return {
    jobId: job.id,
    requestId: job.envelope.request_id,
    userId: job.userId,
    text: question.replace(/\p{Cc}+/gu, ' ').trim(),
    persona,
    ...(manual_ids ? { manualIds: manual_ids } : {}),
    ...(conversation_id === undefined ? {} : { conversationId: conversation_id }),
    ...(max_results === undefined ? {} : { maxResults: max_results }),
    warmUp: warm_up === true,
  };
}

function toRun(job: JobContext<'query'>): Run {
  const { transcription } = job.payload;
  // The second half of a voice job has the percentages of the whole.
  const { steps } = job.operation === 'voice' ? jobs.voice : jobs.query;
  return {
    signal: job.signal,
    logger: job.logger,
    // Nobody waits for the words of what only fills the cache.
    say: (text) => (job.payload.warm_up === true ? undefined : job.token(text)),
    progress(step) {
      const said = transcription === undefined ? {} : { transcription };
      job
        .progress({ step, percent: steps[step] ?? 0, ...said })
        .catch((error: unknown) => job.logger.warn('progress was not told', { step, error }));
    },
  };
}

/** The `query` job: from its payload to its result. */
export const answerQueryJob =
  (outside: Outside): Handler<'query'> =>
  async (job) => {
    const question = toQuestion(job);
    const run = toRun(job);
    const { answer, charged, kept } = await answerQuestion(outside, run, question);
    const { transcription } = job.payload;
    const { tokens, passages, citations, ...rest } = answer;
    return {
      kind: 'done',
      charged,
      meanwhile: kept,
      ...(tokens ? { tokens } : {}),
      result: {
        ...rest,
        citations: [...citations],
        passages: [...passages],
        conversation_id: conversationOf(question),
        ...(tokens ? { tokens } : {}),
        ...(transcription === undefined ? {} : { transcription }),
      },
    };
  };

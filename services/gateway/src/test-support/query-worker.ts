import type { JobContext, RunningWorker } from '@manuel/queues';
import { runWorker } from '@manuel/queues';
import type { Gateway } from '../context.ts';

/** An answer as the query worker gives it. */
export const testAnswer = {
  answer: 'Hold the steam button.',
  citations: [],
  context_used: true,
  model: 'test',
  degradation: 'none' as const,
  from_cache: false,
  conversation_id: 'cnv_01KFA8Y70QK2M4N6P8R0S2T4V6',
};

/** A worker for questions: streams the answer in pieces, then completes; `during` may wait or throw before that. */
export function startQueryWorker(
  gateway: Gateway,
  during: (job: JobContext<'query'>) => Promise<void> = async () => undefined,
): Promise<RunningWorker> {
  const { settings, ledger, logger, metrics } = gateway;
  return runWorker(
    { settings, ledger, logger, metrics },
    {
      queue: 'query',
      handlers: {
        query: async (job) => {
          await job.progress({ step: 'answering', percent: 50 });
          job.token('Hold the ');
          await during(job);
          job.token('steam button.');
          return { kind: 'done', result: testAnswer };
        },
      },
    },
  );
}

import type { Handlers, JobContext, RunWorkerOptions } from '@manuel/queues';
import { jobs } from '@manuel/contracts';
import { abandonIngest } from '../domain/abandon-ingest.ts';
import { deleteManual } from '../domain/delete-manual.ts';
import { ingestManual } from '../domain/ingest-manual.ts';
import type { Outside, Work } from '../domain/outside.ts';

/** A job of the queue as the domain wants it. */
const workOf = <N extends 'ingest' | 'delete-manual'>(job: JobContext<N>): Work<N> => ({
  jobId: job.id,
  userId: job.userId,
  payload: job.payload,
  step: job.step,
  signal: job.signal,
  progress: (progress) => job.progress(progress),
});

/** What the worker does with the jobs on its queue. */
export const handlersOf = (outside: Outside): Handlers<'ingest'> => ({
  ingest: (job) => ingestManual({ ...outside, logger: job.logger }, workOf(job)),
  'delete-manual': (job) => deleteManual({ ...outside, logger: job.logger }, workOf(job)),
});

/** Cleans up after a job that ended otherwise than completed. A deletion's tombstone stays, for the reconciler or another try. */
export const abandonedBy =
  (outside: Outside): NonNullable<RunWorkerOptions<'ingest'>['onAbandoned']> =>
  async ({ name, envelope, status }) => {
    if (name !== 'ingest') return;
    const payload = jobs.ingest.payload.parse(envelope.payload);
    await abandonIngest(outside, { jobId: envelope.id, userId: envelope.user_id, payload, status });
  };

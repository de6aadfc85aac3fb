import { type Progress, jobs } from '@manuel/contracts';

/** A progress step of a job, with the percentage that the job's declaration gives it. */
export const progressOf = (job: 'ingest' | 'delete-manual', step: string): Progress => ({
  step,
  percent: jobs[job].steps[step] ?? 0,
});

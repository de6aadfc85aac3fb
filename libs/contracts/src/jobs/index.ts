import type { z } from 'zod';
import type { Operation } from '../define-job.ts';
import { deleteManualJob, ingestJob } from './ingest.ts';
import { queryJob } from './query.ts';
import { transcribeJob, voiceJob } from './transcribe.ts';

/** Every job of the system. Gateway, workers, Bull Board, OpenAPI, docs and manifests derive from it. */
export const jobs = {
  transcribe: transcribeJob,
  voice: voiceJob,
  query: queryJob,
  ingest: ingestJob,
  'delete-manual': deleteManualJob,
} as const;

export type Jobs = typeof jobs;
export type JobName = keyof Jobs;
export type JobPayload<N extends JobName> = z.infer<Jobs[N]['payload']>;
export type JobResult<N extends JobName> = z.infer<Jobs[N]['result']>;
/** The jobs on one queue: a worker must have a handler for each of them, or it does not compile. */
export type JobsOnQueue<Q extends string> = { [N in JobName]: Jobs[N]['queue'] extends Q ? N : never }[JobName];

/** The job that starts a client's operation. */
export const jobOfOperation: Record<Operation, JobName> = {
  transcribe: 'transcribe',
  query: 'query',
  voice: 'voice',
  ingest: 'ingest',
  delete: 'delete-manual',
};

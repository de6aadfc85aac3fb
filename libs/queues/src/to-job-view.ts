import {
  type JobView,
  ManuelError,
  type Operation,
  type Progress,
  isTerminal,
  jobIdSchema,
  jobOfOperation,
  jobs,
  operations,
  rfc3339,
  toProblem,
} from '@manuel/contracts';
import type { ToJobView, ViewedRow } from './types.ts';

const stepAt = (operation: Operation, index: 0 | -1): Progress => {
  const [step, percent] = Object.entries(jobs[jobOfOperation[operation]].steps).at(index) ?? ['queued', 0];
  return { step, percent };
};
/** The progress a job shows that has reported none: its first step, or its last when it completed. */
const firstStep = new Map(operations.map((operation) => [operation, stepAt(operation, 0)]));
const lastStep = new Map(operations.map((operation) => [operation, stepAt(operation, -1)]));
const silentProgress = (operation: Operation, status: JobView['status']): Progress =>
  (status === 'completed' ? lastStep : firstStep).get(operation) ?? stepAt(operation, 0);

/** The ledger knows of the jobs that run long that they have started; of the others only Redis does. */
const standing = ({ status, started_at }: ViewedRow): JobView['status'] =>
  status === 'queued' && started_at !== undefined ? 'active' : status;

/** A ledger row as its owner sees it, on top of what Redis knows of it. A terminal row is believed before Redis. */
export const toJobView: ToJobView = (row, live) => {
  const status = isTerminal(row.status) ? row.status : (live?.status ?? standing(row));
  const startedAt = row.started_at ?? live?.started_at;
  const self = `/api/jobs/${row.job_id}`;
  const last = silentProgress(row.operation, status);
  return {
    id: row.job_id,
    operation: row.operation,
    status,
    priority: row.class,
    created_at: rfc3339(row.created_at),
    started_at: startedAt === undefined ? null : rfc3339(startedAt),
    finished_at: row.finished_at === undefined ? null : rfc3339(row.finished_at),
    attempts: Math.max(row.attempts, live?.attempts ?? 0),
    progress: status === 'completed' ? last : (live?.progress ?? row.progress ?? last),
    result: row.result ?? null,
    error:
      row.error === undefined
        ? null
        : toProblem(
            new ManuelError(row.error.code, row.error.detail, {
              retryable: row.error.retryable,
              ...(row.error.errors ? { errors: row.error.errors } : {}),
            }),
            row.request_id ?? '',
          ),
    links: { self, events: `${self}/events` },
  };
};

/** The operation a job id was made for; undefined when it is no job id. */
export function operationOf(jobId: string): (typeof operations)[number] | undefined {
  if (!jobIdSchema.safeParse(jobId).success) return undefined;
  const name = jobId.slice(0, jobId.lastIndexOf('_'));
  return operations.find((operation) => operation === name);
}

import { type JobView, newJobId } from '@manuel/contracts';
import { JsonText } from '../../domain/json-text.ts';
import type { Submitted } from '../../domain/submission.ts';

/** A result that was there at once, as the finished job it stands for: nothing was enqueued, the ledger knows nothing of it. */
export function jobOf(submitted: Submitted, operation: JobView['operation']): JobView {
  if (submitted.kind === 'job') return submitted.view;
  const id = newJobId(operation);
  const now = new Date().toISOString();
  const self = `/api/jobs/${id}`;
  return {
    id,
    operation,
    status: 'completed',
    priority: 'normal',
    created_at: now,
    started_at: now,
    finished_at: now,
    attempts: 0,
    progress: { step: 'done', percent: 100 },
    result: submitted.result instanceof JsonText ? submitted.result.read() : submitted.result,
    error: null,
    links: { self, events: `${self}/events` },
  };
}

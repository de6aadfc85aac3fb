import { newJobId, type Operation } from '@manuel/contracts';
import type { NewJobRow } from '../types.ts';

let clock = Date.UTC(2026, 10, 20, 12);

/** A job row that is a millisecond younger than the one before. */
export function newRow(userId: string, change: Partial<NewJobRow> = {}, operation: Operation = 'query'): NewJobRow {
  clock += 1;
  return {
    user_id: userId,
    job_id: newJobId(operation),
    operation,
    job: 'query',
    class: 'normal',
    payload: { question: 'How do I descale it?', persona: 'default' },
    created_at: clock,
    expires_at: clock + 45_000,
    request_id: 'req_test',
    usage: 'queries',
    ...change,
  };
}

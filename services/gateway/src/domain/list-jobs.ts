import { type JobStatus, type JobView, type Operation, isTerminal } from '@manuel/contracts';
import type { ToJobView } from '@manuel/queues';
import type { Caller } from './caller.ts';
import type { Outside } from './outside.ts';

export interface JobsPage {
  readonly items: JobView[];
  readonly next_cursor: string | null;
}

/** A page of the caller's jobs, newest first. Those that have not ended are shown as they are now, the rest as recorded. */
export async function listJobs(
  outside: Pick<Outside, 'ledger' | 'admitter'> & { readonly toJobView: ToJobView },
  caller: Caller,
  query: {
    status?: JobStatus | undefined;
    operation?: Operation | undefined;
    limit: number;
    cursor?: string | undefined;
  },
): Promise<JobsPage> {
  const { status, operation, limit, cursor } = query;
  const page = await outside.ledger.jobs.list(caller.userId, {
    limit,
    ...(status === undefined ? {} : { status }),
    ...(operation === undefined ? {} : { operation }),
    ...(cursor === undefined ? {} : { cursor }),
  });
  const items = await Promise.all(
    page.items.map(async (row) => {
      const recorded = outside.toJobView(row);
      if (isTerminal(row.status)) return recorded;
      return (await outside.admitter.view(caller.userId, row.job_id)) ?? recorded;
    }),
  );
  return { items, next_cursor: page.next_cursor };
}

import { type JobStatus, type JobView, type Operation, isTerminal } from '@manuel/contracts';
import type { JobRow } from '@manuel/ledger';
import type { ToJobView } from '@manuel/queues';
import type { Caller } from './caller.ts';
import type { Outside } from './outside.ts';

export interface JobsPage {
  readonly items: JobView[];
  readonly next_cursor: string | null;
}

export interface JobsQuery {
  readonly status?: JobStatus | undefined;
  readonly operation?: Operation | undefined;
  readonly limit: number;
  readonly cursor?: string | undefined;
}

/**
 * A page of the caller's jobs, newest first. Those that have not ended are shown as they are now, the rest as recorded. The
 * ledger does not know which of the open jobs run, so that pages by such a status are filled from as many of its own as it takes.
 */
export async function listJobs(
  outside: Pick<Outside, 'ledger' | 'admitter'> & { readonly toJobView: ToJobView },
  caller: Caller,
  { status, operation, limit, cursor }: JobsQuery,
): Promise<JobsPage> {
  const items: JobView[] = [];
  let from = cursor;
  do {
    const page = await outside.ledger.jobs.list(caller.userId, {
      limit: limit - items.length,
      ...(status === undefined ? {} : { status }),
      ...(operation === undefined ? {} : { operation }),
      ...(from === undefined ? {} : { cursor: from }),
    });
    const views = await Promise.all(
      page.items.filter(isAskedFor).map(async (row) => {
        const recorded = outside.toJobView(row);
        if (isTerminal(row.status)) return recorded;
        return (await outside.admitter.view(caller.userId, row.job_id)) ?? recorded;
      }),
    );
    items.push(...views.filter((view) => status === undefined || view.status === status));
    from = page.next_cursor ?? undefined;
  } while (from !== undefined && items.length < limit);
  return { items, next_cursor: from ?? null };
}

/** Not what the system asks again by itself, to have the answers at hand. */
const isAskedFor = ({ payload }: JobRow): boolean =>
  typeof payload !== 'object' || payload === null || !('warm_up' in payload);

import { type JobView, isTerminal } from '@manuel/contracts';
import type { Caller } from './caller.ts';
import { listJobs } from './list-jobs.ts';

const most = 100;
/** Milliseconds by which an end may be older than the event that tells of it: it is recorded first, and clocks differ. */
const toldLaterMs = 60_000;

/**
 * The caller's jobs that are open or have ended since `since` (milliseconds since 1970), as they stand, oldest first: for a
 * client that missed events which are kept no more. Of the latest 100.
 */
export async function jobsSince(
  outside: Parameters<typeof listJobs>[0],
  caller: Caller,
  since: number,
): Promise<JobView[]> {
  const { items } = await listJobs(outside, caller, { limit: most });
  return items
    .filter((job) => !isTerminal(job.status) || Date.parse(job.finished_at ?? '') >= since - toldLaterMs)
    .toReversed();
}

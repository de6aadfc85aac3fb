import { isTerminal, type JobStatus, type Operation } from '@manuel/contracts';
import { batchGet } from '../dynamo/batch-get.ts';
import { cursorKinds, fromCursor, toCursor } from '../dynamo/cursor.ts';
import type { Dynamo } from '../dynamo/dynamo.ts';
import { queryPages } from '../dynamo/pages.ts';
import { timeKey } from '../tables.ts';
import type { JobRow } from '../types.ts';
import { toJobRow } from './job-row.ts';

export interface JobsQuery {
  readonly status?: JobStatus;
  readonly operation?: Operation;
  readonly limit: number;
  readonly cursor?: string;
}

/** Sorts after every created_key. */
const newest = '~';

/** A row that is not terminal is `queued` here, whether it runs or not: only Redis knows which. */
const storedStatus = (status: JobStatus): JobStatus => (isTerminal(status) ? status : 'queued');

/** The user's own jobs, newest first; a page is full unless it is the last. */
export async function listJobs(
  dynamo: Dynamo,
  userId: string,
  query: JobsQuery,
): Promise<{ items: JobRow[]; next_cursor: string | null }> {
  const place = query.cursor === undefined ? newest : fromCursor(cursorKinds.jobs, userId, query.cursor);
  const items: JobRow[] = [];
  for await (const row of matchingRows(dynamo, userId, query, place)) {
    items.push(row);
    // One more than asked for tells that another page follows.
    if (items.length > query.limit) break;
  }
  const shown = items.slice(0, query.limit);
  const last = shown.at(-1);
  const more = items.length > query.limit && last !== undefined;
  const next = more ? toCursor(cursorKinds.jobs, userId, timeKey(last.created_at, last.job_id)) : null;
  return { items: shown, next_cursor: next };
}

async function* matchingRows(
  dynamo: Dynamo,
  userId: string,
  query: JobsQuery,
  place: string,
): AsyncGenerator<JobRow, void> {
  const wanted = {
    ...(query.status === undefined ? {} : { status: storedStatus(query.status) }),
    ...(query.operation === undefined ? {} : { operation: query.operation }),
  };
  const names = Object.keys(wanted);
  const filter = {
    FilterExpression: names.map((name) => `#${name} = :${name}`).join(' AND '),
    ExpressionAttributeNames: Object.fromEntries(names.map((name) => [`#${name}`, name])),
  };
  const pages = queryPages(
    dynamo,
    {
      TableName: dynamo.table('jobs'),
      IndexName: 'by-created',
      KeyConditionExpression: 'user_id = :user AND created_key < :place',
      ...(names.length === 0 ? {} : filter),
      ExpressionAttributeValues: {
        ':user': userId,
        ':place': place,
        ...Object.fromEntries(Object.entries(wanted).map(([name, value]) => [`:${name}`, value])),
      },
      ScanIndexForward: false,
      Limit: names.length === 0 ? query.limit + 1 : 200,
    },
    'request',
  );
  for await (const page of pages) {
    for (let start = 0; start <= page.length - 1; start += query.limit + 1) {
      const chunk = page.slice(start, start + query.limit + 1);
      const keys = chunk.map((item) => ({ user_id: userId, job_id: String(item['job_id']) }));
      for (const item of await batchGet(dynamo, 'jobs', keys, 'request')) {
        if (item === undefined) continue;
        const row = toJobRow(item);
        // The index lags behind the rows: what a row says now decides.
        if ((wanted.status ?? row.status) === row.status && (wanted.operation ?? row.operation) === row.operation) {
          yield row;
        }
      }
    }
  }
}

import { batchGet } from '../dynamo/batch-get.ts';
import type { Dynamo, Patience } from '../dynamo/dynamo.ts';
import { flatten, merge } from '../dynamo/merge.ts';
import { queryPages } from '../dynamo/pages.ts';
import type { JobRow } from '../types.ts';
import { allShards, isOpen, shardOf, toJobRow } from './job-row.ts';

interface OpenKey {
  readonly user_id: string;
  readonly job_id: string;
  readonly created_key: string;
}

/** The last key of a time before which all rows are wanted sorts just below this. */
const upTo = (before: number): string => String(before).padStart(15, '0');

async function* openKeys(
  dynamo: Dynamo,
  shard: string,
  before: number,
  patience: Patience,
  userId?: string,
): AsyncGenerator<OpenKey, void> {
  const ofUser = { FilterExpression: 'user_id = :user' };
  const pages = queryPages(
    dynamo,
    {
      TableName: dynamo.table('jobs'),
      IndexName: 'open',
      KeyConditionExpression: '#open = :shard AND created_key < :before',
      ...(userId === undefined ? {} : ofUser),
      ExpressionAttributeNames: { '#open': 'open' },
      ExpressionAttributeValues: {
        ':shard': shard,
        ':before': upTo(before),
        ...(userId === undefined ? {} : { ':user': userId }),
      },
    },
    patience,
  );
  for await (const item of flatten(pages)) {
    yield {
      user_id: String(item['user_id']),
      job_id: String(item['job_id']),
      created_key: String(item['created_key']),
    };
  }
}

async function readOpen(dynamo: Dynamo, keys: readonly OpenKey[], patience: Patience): Promise<JobRow[]> {
  if (keys.length === 0) return [];
  const rowKeys = keys.map(({ user_id, job_id }) => ({ user_id, job_id }));
  const items = await batchGet(dynamo, 'jobs', rowKeys, patience);
  // The index lags behind the rows: one that has ended since is left out.
  return items.flatMap((item) => (item === undefined ? [] : [toJobRow(item)])).filter(isOpen);
}

export async function openJobsOf(dynamo: Dynamo, userId: string): Promise<JobRow[]> {
  const keys: OpenKey[] = [];
  for await (const key of openKeys(dynamo, shardOf(userId), Number.MAX_SAFE_INTEGER, 'request', userId)) keys.push(key);
  return readOpen(dynamo, keys, 'request');
}

/** Open rows of all users made before `before`, oldest first. */
export async function* openJobs(dynamo: Dynamo, before: number): AsyncGenerator<JobRow, void> {
  const shards = allShards.map((shard) => openKeys(dynamo, shard, before, 'effect'));
  let keys: OpenKey[] = [];
  for await (const key of merge(shards, (a, b) => a.created_key < b.created_key)) {
    keys.push(key);
    if (keys.length < 100) continue;
    yield* await readOpen(dynamo, keys, 'effect');
    keys = [];
  }
  yield* await readOpen(dynamo, keys, 'effect');
}

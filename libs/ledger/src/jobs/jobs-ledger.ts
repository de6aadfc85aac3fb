import { GetCommand } from '@aws-sdk/lib-dynamodb';
import type { Settings } from '@manuel/settings';
import { randomUUID } from 'node:crypto';
import { batchInsert, type Inserted } from '../dynamo/batch-insert.ts';
import { batchPut } from '../dynamo/batch-put.ts';
import type { Dynamo, Patience } from '../dynamo/dynamo.ts';
import { isConditionFailed } from '../dynamo/failures.ts';
import { updateItem } from '../dynamo/update-item.ts';
import type { JobRow, JobsLedger, Outcome } from '../types.ts';
import { GroupCommit } from './group-commit.ts';
import { toDetailText, toJobItem, toJobRow, toPayloadText, toResultText } from './job-row.ts';
import { listJobs } from './list-jobs.ts';
import { openJobs, openJobsOf } from './open-jobs.ts';

/** BatchWriteItem's own limit. */
const rowsPerBatch = 25;

type Item = Record<string, unknown>;

/**
 * Who made the last conditional write of a row. A write whose answer was lost is repeated and then finds its own mark:
 * it had won after all.
 */
const mark = 'written_by';

export function createJobsLedger(
  dynamo: Dynamo,
  settings: Pick<Settings, 'ledger'>,
): { jobs: JobsLedger; close(): Promise<void> } {
  const { commit_interval_ms, retention_days } = settings.ledger;
  const TableName = dynamo.table('jobs');

  const shared = {
    keyOf: (row: Item) => `${String(row['user_id'])} ${String(row['job_id'])}`,
    maxRows: rowsPerBatch,
    intervalMs: commit_interval_ms,
  };
  /** Rows whose id is fresh. */
  const puts = new GroupCommit<Item>({ ...shared, write: (rows) => batchPut(dynamo, 'jobs', rows) });
  /** Rows whose id derives from a key, so that there may be one already. */
  const inserts = new GroupCommit<Item, Inserted>({ ...shared, write: (rows) => batchInsert(dynamo, 'jobs', rows) });

  async function read(userId: string, jobId: string, patience: Patience): Promise<Item | undefined> {
    const request = { TableName, Key: { user_id: userId, job_id: jobId }, ConsistentRead: true };
    const answer = await dynamo.run('GetItem', patience, (client, options) =>
      client.send(new GetCommand(request), options),
    );
    return answer.Item;
  }

  /** An update that only an open row takes. `won`: this call made it. */
  async function updateOpen(
    userId: string,
    jobId: string,
    set: Item,
    remove: readonly string[],
  ): Promise<{ won: boolean; row: JobRow | undefined }> {
    const writer = randomUUID();
    const entries = Object.entries({ ...set, [mark]: writer }).filter(([, value]) => value !== undefined);
    const request = {
      TableName,
      Key: { user_id: userId, job_id: jobId },
      ConditionExpression: 'attribute_exists(#open)',
      UpdateExpression: [
        `SET ${entries.map(([name]) => `#${name} = :${name}`).join(', ')}`,
        ...(remove.length === 0 ? [] : [`REMOVE ${remove.map((name) => `#${name}`).join(', ')}`]),
      ].join(' '),
      ExpressionAttributeNames: Object.fromEntries(
        ['open', ...remove, ...entries.map(([name]) => name)].map((name) => [`#${name}`, name]),
      ),
      ExpressionAttributeValues: Object.fromEntries(entries.map(([name, value]) => [`:${name}`, value])),
      ReturnValues: 'ALL_NEW' as const,
    };
    try {
      const attributes = await updateItem(dynamo, 'effect', request);
      dynamo.written('jobs', 1);
      return { won: true, row: toJobRow(attributes) };
    } catch (error) {
      if (!isConditionFailed(error)) throw error;
      const item = await read(userId, jobId, 'effect');
      return { won: item?.[mark] === writer, row: item === undefined ? undefined : toJobRow(item) };
    }
  }

  const jobs: JobsLedger = {
    async add(row) {
      await puts.add(toJobItem(row, retention_days));
    },

    async put(row) {
      const writer = randomUUID();
      const made = toJobItem(row, retention_days);
      made[mark] = writer;
      const inserted = await inserts.add(made);
      if (inserted === 'new') return { created: true };
      const item = await read(row.user_id, row.job_id, 'request');
      // Gone between the two calls (it expired): then the id is free again.
      if (item === undefined) return jobs.put(row);
      return item[mark] === writer ? { created: true } : { created: false, existing: toJobRow(item) };
    },

    async get(userId, jobId) {
      const item = await read(userId, jobId, 'request');
      return item === undefined ? undefined : toJobRow(item);
    },

    list: (userId, query) => listJobs(dynamo, userId, query),

    finish(userId, jobId, outcome: Outcome) {
      const { result, tokens: _counted, ...rest } = outcome;
      const set = { ...rest, result: result === undefined ? undefined : toResultText(result) };
      return updateOpen(userId, jobId, set, ['open']);
    },

    async handOver(userId, jobId, next) {
      const set = { job: next.job, payload: toPayloadText(next.payload) };
      return (await updateOpen(userId, jobId, set, [])).won;
    },

    async started(userId, jobId, startedAt) {
      return (await updateOpen(userId, jobId, { started_at: startedAt }, [])).won;
    },

    async keepDetail(userId, jobId, detail) {
      const text = toDetailText(detail);
      return (await updateOpen(userId, jobId, text === undefined ? {} : { detail: text }, [])).won;
    },

    openOf: (userId) => openJobsOf(dynamo, userId),
    open: (before) => openJobs(dynamo, before),
  };
  return {
    jobs,
    async close() {
      await Promise.all([puts.close(), inserts.close()]);
    },
  };
}

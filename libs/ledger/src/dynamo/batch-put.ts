import { BatchWriteCommand } from '@aws-sdk/lib-dynamodb';
import { ManuelError } from '@manuel/contracts';
import type { TableKey } from '../tables.ts';
import type { Deadline, Dynamo } from './dynamo.ts';
import { toLedgerError } from './failures.ts';

type Item = Record<string, unknown>;

/**
 * Writes up to 25 rows in one call. Answers for each row, in order: undefined when it is durable, else why not.
 * A row that DynamoDB refuses spoils the whole call, so then each is written alone and only the bad one fails.
 */
export async function batchPut(
  dynamo: Dynamo,
  table: TableKey,
  rows: readonly Item[],
  deadline: Deadline = dynamo.deadline('request'),
): Promise<(ManuelError | undefined)[]> {
  const name = dynamo.table(table);
  let pending = rows;
  const answerWith = (error: ManuelError): (ManuelError | undefined)[] => {
    dynamo.written(table, rows.length - pending.length);
    return rows.map((row) => (pending.includes(row) ? error : undefined));
  };
  for (let tries = 0; ; tries += 1) {
    const batch = pending;
    try {
      const answer = await dynamo.run('BatchWriteItem', deadline, (client, options) =>
        client.send(
          new BatchWriteCommand({ RequestItems: { [name]: batch.map((Item) => ({ PutRequest: { Item } })) } }),
          options,
        ),
      );
      const left = answer.UnprocessedItems?.[name] ?? [];
      pending = left.length === 0 ? [] : batch.filter((row) => left.some((one) => isSame(one.PutRequest?.Item, row)));
    } catch (error) {
      const failure = toLedgerError(error, 'BatchWriteItem');
      if (failure.code !== 'internal' || rows.length === 1) return answerWith(failure);
      const alone = new Map<Item, ManuelError | undefined>();
      for (const row of batch) alone.set(row, (await batchPut(dynamo, table, [row], deadline))[0]);
      dynamo.written(table, rows.length - batch.length);
      return rows.map((row) => alone.get(row));
    }
    if (pending.length === 0) {
      dynamo.written(table, rows.length);
      return rows.map(() => undefined);
    }
    if (!(await dynamo.pause(deadline, tries))) {
      return answerWith(
        new ManuelError('unavailable', 'The record of jobs is overloaded. Try again shortly.', { retryAfterMs: 2000 }),
      );
    }
  }
}

/** Every table that is written in batches has user_id and a sort key of its own among its attributes. */
function isSame(left: Item | undefined, row: Item): boolean {
  return left !== undefined && left['user_id'] === row['user_id'] && left['job_id'] === row['job_id'];
}

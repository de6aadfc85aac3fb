import { BatchWriteCommand } from '@aws-sdk/lib-dynamodb';
import { ManuelError } from '@manuel/contracts';
import type { TableKey } from '../tables.ts';
import { toAttributesJson } from './direct-call.ts';
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
      pending = await writeBatch(dynamo, name, batch, deadline);
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

/** One call. Answers the rows that were left out. */
function writeBatch(dynamo: Dynamo, table: string, batch: readonly Item[], deadline: Deadline): Promise<Item[]> {
  const rows = batch.map(toAttributesJson);
  return dynamo.runDirectly('BatchWriteItem', deadline, {
    body: rows.every((row) => row !== undefined) ? puts(table, rows) : undefined,
    read(answer) {
      const left = leftOut(table, answer);
      return batch.filter((row) => left.some((one) => isSame(one['user_id'], one['job_id'], row)));
    },
    async command(client, options) {
      const request = { RequestItems: { [table]: batch.map((Item) => ({ PutRequest: { Item } })) } };
      const answer = await client.send(new BatchWriteCommand(request), options);
      const left = (answer.UnprocessedItems?.[table] ?? []).map((one) => one.PutRequest?.Item ?? {});
      return batch.filter((row) =>
        left.some((one) => isSame({ S: String(one['user_id']) }, { S: String(one['job_id']) }, row)),
      );
    },
  });
}

const puts = (table: string, items: readonly string[]): string =>
  `{"RequestItems":{${JSON.stringify(table)}:[${items.map((item) => `{"PutRequest":{"Item":${item}}}`).join(',')}]}}`;

/** A row as DynamoDB gives it back. */
type Attributes = Readonly<Record<string, { readonly S?: string }>>;

function leftOut(table: string, answer: unknown): Attributes[] {
  // Safe: what BatchWriteItem answers.
  const { UnprocessedItems } = answer as {
    UnprocessedItems?: Record<string, { PutRequest: { Item: Attributes } }[]>;
  };
  return (UnprocessedItems?.[table] ?? []).map(({ PutRequest }) => PutRequest.Item);
}

/** Every table that is written in batches has user_id and a sort key of its own among its attributes. */
function isSame(userId: Attributes[string] | undefined, jobId: Attributes[string] | undefined, row: Item): boolean {
  return isText(userId, row['user_id']) && isText(jobId, row['job_id']);
}

const isText = (attribute: Attributes[string] | undefined, text: unknown): boolean =>
  attribute?.S !== undefined && attribute.S === text;

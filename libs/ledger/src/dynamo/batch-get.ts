import { BatchGetCommand } from '@aws-sdk/lib-dynamodb';
import { ManuelError } from '@manuel/contracts';
import type { TableKey } from '../tables.ts';
import type { Dynamo, Patience } from './dynamo.ts';

export type Key = Readonly<Record<string, string>>;
type Item = Record<string, unknown>;

const keysPerCall = 100;
const nameOf = (key: Key | Item, attributes: readonly string[]): string =>
  JSON.stringify(attributes.map((name) => key[name]));

/** The rows of the keys, in their order, read consistently; undefined where there is none. */
export async function batchGet(
  dynamo: Dynamo,
  table: TableKey,
  keys: readonly Key[],
  patience: Patience,
): Promise<(Item | undefined)[]> {
  const attributes = Object.keys(keys[0] ?? {});
  const found = new Map<string, Item>();
  for (let start = 0; start < keys.length; start += keysPerCall) {
    for (const item of await readAll(dynamo, dynamo.table(table), keys.slice(start, start + keysPerCall), patience)) {
      found.set(nameOf(item, attributes), item);
    }
  }
  return keys.map((key) => found.get(nameOf(key, attributes)));
}

/**
 * DynamoDB may leave keys out of an answer; they are asked for again until the deadline. At once where it gave some: then the rest
 * did not fit. Later where it gave none: it is overloaded.
 */
async function readAll(dynamo: Dynamo, name: string, keys: readonly Key[], patience: Patience): Promise<Item[]> {
  const deadline = dynamo.deadline(patience);
  const items: Item[] = [];
  let wanted: readonly Item[] = keys;
  for (let waits = 0; ;) {
    const request = { RequestItems: { [name]: { Keys: [...wanted], ConsistentRead: true } } };
    const answer = await dynamo.run('BatchGetItem', deadline, (client, options) =>
      client.send(new BatchGetCommand(request), options),
    );
    const given = answer.Responses?.[name] ?? [];
    items.push(...given);
    wanted = answer.UnprocessedKeys?.[name]?.Keys ?? [];
    if (wanted.length === 0) return items;
    if (given.length > 0) waits = 0;
    else if (!(await dynamo.pause(deadline, waits++))) {
      throw new ManuelError('unavailable', 'The record of jobs is overloaded. Try again shortly.', {
        retryAfterMs: 2000,
      });
    }
  }
}

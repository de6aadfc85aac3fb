import { GetCommand, PutCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { randomUUID } from 'node:crypto';
import { cursorKinds, fromCursor, toCursor } from '../dynamo/cursor.ts';
import type { Dynamo, Patience } from '../dynamo/dynamo.ts';
import { isConditionFailed } from '../dynamo/failures.ts';
import { flatten, merge } from '../dynamo/merge.ts';
import { queryPages } from '../dynamo/pages.ts';
import { expiryOf, timeKey } from '../tables.ts';
import type { DeadLetterRow, DeadLettersLedger } from '../types.ts';
import { countFailure } from './count-failures.ts';
import { severities, toDeadLetter } from './dead-letter-row.ts';

/** Who made the row: a repeated put finds its own mark. */
const mark = 'written_by';
/** Sorts after every failed_key. */
const newest = '~';
const placeOf = (row: DeadLetterRow): string => timeKey(row.failed_at, row.id);

export function createDeadLettersLedger(dynamo: Dynamo): DeadLettersLedger {
  const TableName = dynamo.table('dead-letters');

  async function read(id: string, patience: Patience): Promise<Record<string, unknown> | undefined> {
    const request = { TableName, Key: { id }, ConsistentRead: true };
    const answer = await dynamo.run('GetItem', patience, (client, options) =>
      client.send(new GetCommand(request), options),
    );
    return answer.Item;
  }

  async function* newestFirst(
    attribute: 'severity' | 'fingerprint',
    value: string,
    place: string,
  ): AsyncGenerator<DeadLetterRow, void> {
    const input = {
      TableName,
      IndexName: `by-${attribute}`,
      KeyConditionExpression: '#attribute = :value AND failed_key < :place',
      ExpressionAttributeNames: { '#attribute': attribute },
      ExpressionAttributeValues: { ':value': value, ':place': place },
      ScanIndexForward: false,
      Limit: 100,
    };
    for await (const item of flatten(queryPages(dynamo, input, 'request'))) yield toDeadLetter(item);
  }

  return {
    async put(row, retentionDays) {
      const writer = randomUUID();
      const request = {
        TableName,
        Item: {
          ...row,
          payload: JSON.stringify(row.payload ?? null),
          failed_key: placeOf(row),
          ttl: expiryOf(row.failed_at, retentionDays),
          [mark]: writer,
        },
        ConditionExpression: 'attribute_not_exists(id)',
      };
      try {
        await dynamo.run('PutItem', 'effect', (client, options) => client.send(new PutCommand(request), options));
        dynamo.written('dead-letters', 1);
        return true;
      } catch (error) {
        if (!isConditionFailed(error)) throw error;
        return (await read(row.id, 'effect'))?.[mark] === writer;
      }
    },

    async get(id) {
      if (id.startsWith('#')) return undefined;
      const item = await read(id, 'request');
      return item === undefined ? undefined : toDeadLetter(item);
    },

    async list({ severity, fingerprint, operation, limit, cursor }) {
      const place = cursor === undefined ? newest : fromCursor(cursorKinds.deadLetters, '', cursor);
      const streams =
        fingerprint === undefined
          ? (severity === undefined ? severities : [severity]).map((one) => newestFirst('severity', one, place))
          : [newestFirst('fingerprint', fingerprint, place)];
      const rows: DeadLetterRow[] = [];
      for await (const row of merge(streams, (a, b) => placeOf(a) > placeOf(b))) {
        if ((severity ?? row.severity) !== row.severity || (operation ?? row.operation) !== row.operation) continue;
        rows.push(row);
        // One more than asked for tells that another page follows.
        if (rows.length > limit) break;
      }
      const items = rows.slice(0, limit);
      const last = items.at(-1);
      const more = rows.length > limit && last !== undefined;
      return { items, next_cursor: more ? toCursor(cursorKinds.deadLetters, '', placeOf(last)) : null };
    },

    count: (fingerprint, now, windowS) => countFailure(dynamo, fingerprint, now, windowS),

    async markReplayed(id, at) {
      const request = {
        TableName,
        Key: { id },
        ConditionExpression: 'attribute_exists(id)',
        UpdateExpression: 'SET replayed_at = :at',
        ExpressionAttributeValues: { ':at': at },
      };
      try {
        await dynamo.run('UpdateItem', 'effect', (client, options) => client.send(new UpdateCommand(request), options));
      } catch (error) {
        // It expired: nothing is left to mark.
        if (!isConditionFailed(error)) throw error;
      }
    },
  };
}

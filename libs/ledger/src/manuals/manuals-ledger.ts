import { DeleteCommand, GetCommand, PutCommand, QueryCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { type ManualStatus, manualStatuses } from '@manuel/contracts';
import { randomUUID } from 'node:crypto';
import { cursorKinds, fromCursor, toCursor } from '../dynamo/cursor.ts';
import type { Dynamo } from '../dynamo/dynamo.ts';
import { isConditionFailed } from '../dynamo/failures.ts';
import { flatten } from '../dynamo/merge.ts';
import { queryPages, scanPages } from '../dynamo/pages.ts';
import type { ManualRow, ManualsLedger } from '../types.ts';
import { toManualRow } from './manual-row.ts';

/** The counter lies beside the user's manuals, under an id that no manual can have. */
const versionKey = '#version';
const idPrefix = 'man_';
/** Who made the row: a repeated create finds its own mark. */
const mark = 'written_by';

export function createManualsLedger(dynamo: Dynamo): ManualsLedger {
  const TableName = dynamo.table('manuals');

  async function read(userId: string, manualId: string): Promise<Record<string, unknown> | undefined> {
    const request = { TableName, Key: { user_id: userId, manual_id: manualId }, ConsistentRead: true };
    const answer = await dynamo.run('GetItem', 'request', (client, options) =>
      client.send(new GetCommand(request), options),
    );
    return answer.Item;
  }

  const ofUser = (userId: string) => ({
    TableName,
    KeyConditionExpression: 'user_id = :user AND begins_with(manual_id, :prefix)',
    ExpressionAttributeValues: { ':user': userId, ':prefix': idPrefix } as Record<string, unknown>,
    ConsistentRead: true,
    // Ids sort by time: newest first.
    ScanIndexForward: false,
  });

  async function all(userId: string, statuses: readonly ManualStatus[] = manualStatuses): Promise<ManualRow[]> {
    const rows: ManualRow[] = [];
    for await (const item of flatten(queryPages(dynamo, ofUser(userId), 'request'))) {
      const row = toManualRow(item);
      if (statuses.includes(row.status)) rows.push(row);
    }
    return rows;
  }

  return {
    async create(row) {
      const writer = randomUUID();
      const request = {
        TableName,
        Item: { ...row, [mark]: writer },
        ConditionExpression: 'attribute_not_exists(manual_id)',
      };
      try {
        await dynamo.run('PutItem', 'request', (client, options) => client.send(new PutCommand(request), options));
        dynamo.written('manuals', 1);
        return true;
      } catch (error) {
        if (!isConditionFailed(error)) throw error;
        return (await read(row.user_id, row.manual_id))?.[mark] === writer;
      }
    },

    async get(userId, manualId) {
      if (!manualId.startsWith(idPrefix)) return undefined;
      const item = await read(userId, manualId);
      return item === undefined ? undefined : toManualRow(item);
    },

    async list(userId, { limit, cursor }) {
      const after = cursor === undefined ? undefined : fromCursor(cursorKinds.manuals, userId, cursor);
      const request = {
        ...ofUser(userId),
        // One more than asked for tells that another page follows.
        Limit: limit + 1,
        ...(after === undefined ? {} : { ExclusiveStartKey: { user_id: userId, manual_id: after } }),
      };
      const answer = await dynamo.run('Query', 'request', (client, options) =>
        client.send(new QueryCommand(request), options),
      );
      const rows = (answer.Items ?? []).map(toManualRow);
      const items = rows.slice(0, limit);
      const last = items.at(-1);
      const more = rows.length > limit && last !== undefined;
      return { items, next_cursor: more ? toCursor(cursorKinds.manuals, userId, last.manual_id) : null };
    },

    all,

    async update(userId, manualId, change, when) {
      const { error, ...rest } = change;
      const set = Object.entries({ updated_at: Date.now(), ...rest, ...(error ? { error } : {}) }).filter(
        ([, value]) => value !== undefined,
      );
      const statuses = (when?.status ?? []).map((status, index) => [`:when${index}`, status] as const);
      const request = {
        TableName,
        Key: { user_id: userId, manual_id: manualId },
        ConditionExpression:
          when === undefined
            ? 'attribute_exists(manual_id)'
            : `#status IN (${statuses.map(([placeholder]) => placeholder).join(', ')})`,
        UpdateExpression: [
          `SET ${set.map(([name]) => `#${name} = :${name}`).join(', ')}`,
          ...(error === null ? ['REMOVE #error'] : []),
        ].join(' '),
        ExpressionAttributeNames: Object.fromEntries([
          ...set.map(([name]) => [`#${name}`, name]),
          ...(when === undefined ? [] : [['#status', 'status']]),
          ...(error === null ? [['#error', 'error']] : []),
        ]),
        ExpressionAttributeValues: Object.fromEntries([
          ...set.map(([name, value]) => [`:${name}`, value]),
          ...statuses,
        ]),
        ReturnValues: 'ALL_NEW' as const,
      };
      try {
        const answer = await dynamo.run('UpdateItem', 'effect', (client, options) =>
          client.send(new UpdateCommand(request), options),
        );
        dynamo.written('manuals', 1);
        return toManualRow(answer.Attributes);
      } catch (failure) {
        if (isConditionFailed(failure)) return undefined;
        throw failure;
      }
    },

    async remove(userId, manualId) {
      const request = { TableName, Key: { user_id: userId, manual_id: manualId } };
      await dynamo.run('DeleteItem', 'effect', (client, options) => client.send(new DeleteCommand(request), options));
    },

    /** One that is ready, else one that is being ingested; failed ones and those being deleted do not count. */
    async findBySha256(userId, sha256) {
      const same = (await all(userId, ['ready', 'processing'])).filter((row) => row.sha256 === sha256);
      return same.find((row) => row.status === 'ready') ?? same[0];
    },

    async version(userId) {
      return Number((await read(userId, versionKey))?.['version'] ?? 0);
    },

    /** A repeated try may raise it twice, which is as good: it only has to differ. */
    async bumpVersion(userId) {
      const request = {
        TableName,
        Key: { user_id: userId, manual_id: versionKey },
        UpdateExpression: 'ADD version :one',
        ExpressionAttributeValues: { ':one': 1 },
        ReturnValues: 'UPDATED_NEW' as const,
      };
      const answer = await dynamo.run('UpdateItem', 'effect', (client, options) =>
        client.send(new UpdateCommand(request), options),
      );
      dynamo.written('manuals', 1);
      return Number(answer.Attributes?.['version']);
    },

    async *scan() {
      const input = {
        TableName,
        FilterExpression: 'begins_with(manual_id, :prefix)',
        ExpressionAttributeValues: { ':prefix': idPrefix },
      };
      for await (const item of flatten(scanPages(dynamo, input))) yield toManualRow(item);
    },
  };
}

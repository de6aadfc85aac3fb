import { GetCommand, PutCommand } from '@aws-sdk/lib-dynamodb';
import { operations } from '@manuel/contracts';
import type { Settings } from '@manuel/settings';
import { z } from 'zod';
import type { Dynamo } from '../dynamo/dynamo.ts';
import { flatten } from '../dynamo/merge.ts';
import { queryPages } from '../dynamo/pages.ts';
import type { UsageLedger } from '../types.ts';
import { dayOf, monthOf } from './days.ts';
import { fenceOf, settleUsage } from './settle-usage.ts';

/** Sorts after every day. */
const limitsKey = 'limits';
const dayMs = 86_400_000;
/** Jobs that one question can name: an expression may have 4 KB. More than a user may have open. */
const mostAsked = 600;
/** `day` is named in the key condition, too. */
const placeOf = (name: string, index: number): string => (name === 'day' ? name : index.toString(36));

const counter = z.number().default(0);
const dayItemSchema = z.object({
  day: z.string(),
  used: counter,
  queries: counter,
  transcriptions: counter,
  ingestions: counter,
  tokens_in: counter,
  tokens_out: counter,
  ...Object.fromEntries(operations.map((operation) => [`op_${operation}`, counter])),
});
const counters = ['used', 'queries', 'transcriptions', 'ingestions', 'tokens_in', 'tokens_out'];
const limitsSchema = z.object({
  daily_limit: z.number().int().exactOptional(),
  monthly_limit: z.number().int().exactOptional(),
});

export function createUsageLedger(dynamo: Dynamo, settings: Pick<Settings, 'quota'>): UsageLedger {
  const TableName = dynamo.table('usage');

  async function readDays(
    userId: string,
    first: string,
    last: string,
    more: readonly string[] = [],
  ): Promise<(z.infer<typeof dayItemSchema> & Record<string, unknown>)[]> {
    const attributes = ['day', ...counters, ...operations.map((operation) => `op_${operation}`), ...more];
    const pages = queryPages(
      dynamo,
      {
        TableName,
        KeyConditionExpression: 'user_id = :user AND #day BETWEEN :first AND :last',
        // Short placeholders: an expression may have 4 KB.
        ExpressionAttributeNames: Object.fromEntries(
          attributes.map((name, index) => [`#${placeOf(name, index)}`, name]),
        ),
        ExpressionAttributeValues: { ':user': userId, ':first': first, ':last': last },
        ProjectionExpression: attributes.map((name, index) => `#${placeOf(name, index)}`).join(','),
        ConsistentRead: true,
      },
      'request',
    );
    const days = [];
    for await (const item of flatten(pages)) days.push({ ...item, ...dayItemSchema.parse(item) });
    return days;
  }

  return {
    settle: (job) => settleUsage(dynamo, job, settings.quota.retention_days),

    async totals(userId, now, about = []) {
      const { first, last } = monthOf(now);
      const asked = about.slice(0, mostAsked).map((jobId) => ({ jobId, fence: fenceOf(jobId) }));
      const days = await readDays(
        userId,
        first,
        last,
        asked.map(({ fence }) => fence),
      );
      const today = dayOf(now);
      return {
        daily_used: days.find((one) => one.day === today)?.used ?? 0,
        monthly_used: days.reduce((sum, one) => sum + one.used, 0),
        charged: asked.filter(({ fence }) => days.some((one) => one[fence] !== undefined)).map(({ jobId }) => jobId),
      };
    },

    async history(userId, days, now) {
      const items = await readDays(userId, dayOf(now - (days - 1) * dayMs), dayOf(now));
      const by_operation: Record<string, number> = {};
      for (const operation of operations) {
        const sum = items.reduce((total, one) => total + Number(one[`op_${operation}`]), 0);
        if (sum > 0) by_operation[operation] = sum;
      }
      return {
        by_operation,
        days: items.map(({ day, queries, transcriptions, ingestions, tokens_in, tokens_out }) => {
          return { date: day, queries, transcriptions, ingestions, tokens_in, tokens_out };
        }),
      };
    },

    async limits(userId) {
      const request = { TableName, Key: { user_id: userId, day: limitsKey }, ConsistentRead: true };
      const answer = await dynamo.run('GetItem', 'request', (client, options) =>
        client.send(new GetCommand(request), options),
      );
      return limitsSchema.parse(answer.Item ?? {});
    },

    async setLimits(userId, limits) {
      const request = { TableName, Item: { ...limitsSchema.parse(limits), user_id: userId, day: limitsKey } };
      await dynamo.run('PutItem', 'request', (client, options) => client.send(new PutCommand(request), options));
      dynamo.written('usage', 1);
    },
  };
}

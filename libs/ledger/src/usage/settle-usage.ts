import { GetCommand } from '@aws-sdk/lib-dynamodb';
import { hash } from 'node:crypto';
import type { Dynamo } from '../dynamo/dynamo.ts';
import { isConditionFailed } from '../dynamo/failures.ts';
import { updateItem } from '../dynamo/update-item.ts';
import { expiryOf } from '../tables.ts';
import type { UsageLedger } from '../types.ts';
import { dayOf } from './days.ts';

type Settled = Parameters<UsageLedger['settle']>[0];

/**
 * The fence: one attribute of the day's item for each charged job, named after it and holding the tokens it used. It is
 * made and removed in the same single-item write that changes the counters, so these always agree with it.
 * A hash of 12 characters keeps the item small.
 */
export const fenceOf = (jobId: string): string => `j_${hash('sha256', jobId, 'base64url').slice(0, 12)}`;

/** What the job adds to each counter. */
function amounts(job: Settled, tokens: { input: number; output: number }): Record<string, number> {
  const kind = job.operation === 'ingest' ? 'ingestions' : job.usage;
  return {
    [`op_${job.operation}`]: 1,
    ...(kind === null ? {} : { [kind]: 1 }),
    ...(job.usage === null ? {} : { used: 1 }),
    ...(tokens.input > 0 ? { tokens_in: tokens.input } : {}),
    ...(tokens.output > 0 ? { tokens_out: tokens.output } : {}),
  };
}

const toText = (tokens: { input: number; output: number }): string => `${tokens.input}/${tokens.output}`;
function fromText(text: string): { input: number; output: number } {
  const [input, output] = text.split('/').map(Number);
  return { input: input ?? 0, output: output ?? 0 };
}

/** Makes the day's counters say what the job's outcome says. May be repeated and may run anywhere at the same time. */
export async function settleUsage(dynamo: Dynamo, job: Settled, retentionDays: number): Promise<void> {
  const day = { user_id: job.user_id, day: dayOf(job.created_at) };
  const fence = fenceOf(job.job_id);
  if (job.charged) {
    const tokens = job.tokens ?? { input: 0, output: 0 };
    await change(
      dynamo,
      day,
      'attribute_not_exists(#fence)',
      'SET #fence = :fence, #ttl = :ttl',
      amounts(job, tokens),
      {
        '#fence': [fence, ':fence', toText(tokens)],
        // A month must be whole while it is counted.
        '#ttl': ['ttl', ':ttl', expiryOf(job.created_at, Math.max(retentionDays, 32) + 1)],
      },
    );
    return;
  }
  // A read costs less than a write that fails, and nearly always there is nothing to take back.
  const request = {
    TableName: dynamo.table('usage'),
    Key: day,
    ConsistentRead: true,
    ProjectionExpression: '#fence',
    ExpressionAttributeNames: { '#fence': fence },
  };
  const answer = await dynamo.run('GetItem', 'effect', (client, options) =>
    client.send(new GetCommand(request), options),
  );
  const charged: unknown = answer.Item?.[fence];
  if (typeof charged !== 'string') return;
  const less = Object.entries(amounts(job, fromText(charged))).map(([name, amount]) => [name, -amount] as const);
  await change(dynamo, day, '#fence = :fence', 'REMOVE #fence', Object.fromEntries(less), {
    '#fence': [fence, ':fence', charged],
  });
}

async function change(
  dynamo: Dynamo,
  key: { user_id: string; day: string },
  condition: string,
  update: string,
  add: Readonly<Record<string, number>>,
  bound: Readonly<Record<string, readonly [attribute: string, placeholder: string, value: unknown]>>,
): Promise<void> {
  const counters = Object.entries(add);
  const names = Object.entries(bound).map(([name, [attribute]]) => [name, attribute]);
  const values = Object.values(bound).map(([, placeholder, value]) => [placeholder, value]);
  const request = {
    TableName: dynamo.table('usage'),
    Key: key,
    ConditionExpression: condition,
    UpdateExpression: `${update} ADD ${counters.map(([name]) => `#${name} :${name}`).join(', ')}`,
    ExpressionAttributeNames: Object.fromEntries([...names, ...counters.map(([name]) => [`#${name}`, name])]),
    ExpressionAttributeValues: Object.fromEntries([
      ...values,
      ...counters.map(([name, amount]) => [`:${name}`, amount]),
    ]),
  };
  try {
    await updateItem(dynamo, 'effect', request);
    dynamo.written('usage', 1);
  } catch (error) {
    // The counters said so already: another run of this job, or an earlier try of this write.
    if (!isConditionFailed(error)) throw error;
  }
}

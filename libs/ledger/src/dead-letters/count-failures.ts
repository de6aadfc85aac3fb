import { UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { randomUUID } from 'node:crypto';
import type { Dynamo } from '../dynamo/dynamo.ts';
import { isConditionFailed } from '../dynamo/failures.ts';

/** A counter stays this much longer than its window, so that `count` spans quiet nights. */
const keptS = 30 * 86_400;

/**
 * Counts one more failure of this kind and claims its alert when none was sent in this window. The counter lies in the
 * table of dead letters under an id of its own, outside the indexes.
 */
export async function countFailure(
  dynamo: Dynamo,
  fingerprint: string,
  now: number,
  windowS: number,
): Promise<{ count: number; alertDue: boolean }> {
  const TableName = dynamo.table('dead-letters');
  const Key = { id: `#count#${fingerprint}` };
  const counted = await dynamo.run('UpdateItem', 'effect', (client, options) =>
    client.send(
      new UpdateCommand({
        TableName,
        Key,
        UpdateExpression: 'SET #ttl = :ttl ADD failures :one',
        ExpressionAttributeNames: { '#ttl': 'ttl' },
        ExpressionAttributeValues: { ':one': 1, ':ttl': Math.ceil(now / 1000) + windowS + keptS },
        ReturnValues: 'ALL_NEW',
      }),
      options,
    ),
  );
  const count = Number(counted.Attributes?.['failures']);
  if (Number(counted.Attributes?.['quiet_until'] ?? 0) > now) return { count, alertDue: false };
  const claim = randomUUID();
  try {
    await dynamo.run('UpdateItem', 'effect', (client, options) =>
      client.send(
        new UpdateCommand({
          TableName,
          Key,
          // Our own claim counts too: a try whose answer was lost is repeated.
          ConditionExpression: 'attribute_not_exists(quiet_until) OR quiet_until <= :now OR claimed_by = :claim',
          UpdateExpression: 'SET quiet_until = :until, claimed_by = :claim',
          ExpressionAttributeValues: { ':now': now, ':until': now + windowS * 1000, ':claim': claim },
        }),
        options,
      ),
    );
    return { count, alertDue: true };
  } catch (error) {
    if (isConditionFailed(error)) return { count, alertDue: false };
    throw error;
  }
}

import { GetCommand, PutCommand } from '@aws-sdk/lib-dynamodb';
import { ManuelError } from '@manuel/contracts';
import type { Settings } from '@manuel/settings';
import { z } from 'zod';
import type { Dynamo, Patience } from './dynamo/dynamo.ts';
import { isConditionFailed } from './dynamo/failures.ts';
import { expiryOf } from './tables.ts';
import type { ConversationsLedger, ConversationTurn } from './types.ts';

/** Jobs remembered, so that one that runs again long after its turn was dropped still adds nothing. */
const rememberedJobs = 50;
/** DynamoDB's limit of an item is 400 KB. */
const largestBytes = 350_000;
const maxTries = 20;

const conversationSchema = z.object({
  turns: z.array(z.object({ question: z.string(), answer: z.string(), at: z.number() })).default([]),
  jobs: z.array(z.string()).default([]),
  revision: z.number().default(0),
});

function keepLast(turns: readonly ConversationTurn[], maxTurns: number): ConversationTurn[] {
  let kept = maxTurns === 0 ? [] : turns.slice(-maxTurns);
  while (kept.length > 0 && Buffer.byteLength(JSON.stringify(kept)) > largestBytes) kept = kept.slice(1);
  return kept;
}

export function createConversationsLedger(
  dynamo: Dynamo,
  settings: Pick<Settings, 'conversation'>,
): ConversationsLedger {
  const TableName = dynamo.table('conversations');

  async function read(
    userId: string,
    conversationId: string,
    patience: Patience,
  ): Promise<z.infer<typeof conversationSchema>> {
    const request = { TableName, Key: { user_id: userId, conversation_id: conversationId }, ConsistentRead: true };
    const answer = await dynamo.run('GetItem', patience, (client, options) =>
      client.send(new GetCommand(request), options),
    );
    return conversationSchema.parse(answer.Item ?? {});
  }

  return {
    async turns(userId, conversationId) {
      return (await read(userId, conversationId, 'request')).turns;
    },

    async append(userId, conversationId, jobId, turn, maxTurns, fresh = false) {
      // Optimistic: whoever finds that another changed the row meanwhile reads it again.
      for (let tries = 0; tries < maxTries; tries += 1) {
        const known =
          fresh && tries === 0 ? conversationSchema.parse({}) : await read(userId, conversationId, 'effect');
        if (known.jobs.includes(jobId)) return;
        const request = {
          TableName,
          Item: {
            user_id: userId,
            conversation_id: conversationId,
            turns: keepLast([...known.turns, turn], maxTurns),
            jobs: [...known.jobs, jobId].slice(-rememberedJobs),
            revision: known.revision + 1,
            ttl: expiryOf(turn.at, settings.conversation.ttl_days),
          },
          ConditionExpression: 'attribute_not_exists(revision) OR revision = :revision',
          ExpressionAttributeValues: { ':revision': known.revision },
        };
        try {
          await dynamo.run('PutItem', 'effect', (client, options) => client.send(new PutCommand(request), options));
          dynamo.written('conversations', 1);
          return;
        } catch (error) {
          if (!isConditionFailed(error)) throw error;
        }
      }
      throw new ManuelError('unavailable', 'The conversation is being changed too often at once. Try again shortly.');
    },
  };
}

import { GetCommand, PutCommand } from '@aws-sdk/lib-dynamodb';
import { z } from 'zod';
import type { Dynamo } from './dynamo/dynamo.ts';
import { expiryOf } from './tables.ts';
import type { UploadsLedger } from './types.ts';

/** The announcement outlives the upload link and the wait in the queue. */
const keptDays = 2;

const uploadSchema = z.object({
  user_id: z.string(),
  upload_id: z.string(),
  kind: z.enum(['audio', 'manual']),
  key: z.string(),
  content_type: z.string(),
  size: z.number(),
  filename: z.string().exactOptional(),
  created_at: z.number(),
});

export function createUploadsLedger(dynamo: Dynamo): UploadsLedger {
  const TableName = dynamo.table('uploads');
  return {
    async create(row) {
      const request = { TableName, Item: { ...row, ttl: expiryOf(row.created_at, keptDays) } };
      await dynamo.run('PutItem', 'request', (client, options) => client.send(new PutCommand(request), options));
      dynamo.written('uploads', 1);
    },

    async get(userId, uploadId) {
      const request = { TableName, Key: { user_id: userId, upload_id: uploadId }, ConsistentRead: true };
      const answer = await dynamo.run('GetItem', 'request', (client, options) =>
        client.send(new GetCommand(request), options),
      );
      return answer.Item === undefined ? undefined : uploadSchema.parse(answer.Item);
    },
  };
}

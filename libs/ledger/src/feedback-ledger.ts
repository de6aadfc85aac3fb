import { PutCommand } from '@aws-sdk/lib-dynamodb';
import { z } from 'zod';
import type { Dynamo } from './dynamo/dynamo.ts';
import { flatten, merge } from './dynamo/merge.ts';
import { queryPages } from './dynamo/pages.ts';
import { timeKey } from './tables.ts';
import type { FeedbackLedger, FeedbackRow } from './types.ts';

const ratings = ['up', 'down'] as const;

const feedbackSchema = z.object({
  user_id: z.string(),
  job_id: z.string(),
  rating: z.enum(ratings),
  comment: z.string().exactOptional(),
  question: z.string(),
  answer: z.string(),
  model: z.string(),
  passages: z.array(z.object({ manual_id: z.string(), page: z.number().nullable(), excerpt: z.string() })),
  created_at: z.number(),
});

export function createFeedbackLedger(dynamo: Dynamo): FeedbackLedger {
  const TableName = dynamo.table('feedback');

  async function* ofRating(rating: FeedbackRow['rating']): AsyncGenerator<FeedbackRow, void> {
    const input = {
      TableName,
      IndexName: 'by-rating',
      KeyConditionExpression: 'rating = :rating',
      ExpressionAttributeValues: { ':rating': rating },
      ScanIndexForward: false,
    };
    for await (const item of flatten(queryPages(dynamo, input, 'effect'))) yield feedbackSchema.parse(item);
  }

  return {
    /** A second opinion of the same job replaces the first. */
    async put(row) {
      const request = { TableName, Item: { ...row, created_key: timeKey(row.created_at, row.job_id) } };
      await dynamo.run('PutItem', 'request', (client, options) => client.send(new PutCommand(request), options));
      dynamo.written('feedback', 1);
    },

    scan: (rating) =>
      merge((rating === undefined ? ratings : [rating]).map(ofRating), (a, b) => a.created_at > b.created_at),
  };
}

import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import type { Settings } from '@manuel/settings';
import { NodeHttpHandler } from '@smithy/node-http-handler';

/**
 * The SDK's client: connections kept open, time limits set, its own retries off (ours are bounded in time).
 * Endpoint and credentials come from the SDK's own environment variables and chain.
 */
export function connectDynamo(settings: Pick<Settings, 'region' | 'pool'>): DynamoDBDocumentClient {
  const agent = { keepAlive: true, maxSockets: settings.pool.max_connections };
  const client = new DynamoDBClient({
    region: settings.region,
    maxAttempts: 1,
    requestHandler: new NodeHttpHandler({
      connectionTimeout: settings.pool.connect_timeout_ms,
      requestTimeout: settings.pool.read_timeout_ms,
      throwOnRequestTimeout: true,
      httpAgent: agent,
      httpsAgent: agent,
    }),
  });
  return DynamoDBDocumentClient.from(client, { marshallOptions: { removeUndefinedValues: true } });
}

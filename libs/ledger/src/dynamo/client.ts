import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import type { Settings } from '@manuel/settings';
import { NodeHttpHandler } from '@smithy/node-http-handler';
import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';

export interface Connection {
  readonly client: DynamoDBDocumentClient;
  /** What the client's connections come from; they end with it. */
  readonly agents: { readonly http: HttpAgent; readonly https: HttpsAgent };
}

/**
 * The SDK's client: connections kept open, time limits set, its own retries off (ours are bounded in time).
 * Endpoint and credentials come from the SDK's own environment variables and chain.
 */
export function connectDynamo(settings: Pick<Settings, 'region' | 'pool'>): Connection {
  const options = { keepAlive: true, maxSockets: settings.pool.max_connections };
  const agents = { http: new HttpAgent(options), https: new HttpsAgent(options) };
  const client = new DynamoDBClient({
    region: settings.region,
    maxAttempts: 1,
    requestHandler: new NodeHttpHandler({
      connectionTimeout: settings.pool.connect_timeout_ms,
      requestTimeout: settings.pool.read_timeout_ms,
      throwOnRequestTimeout: true,
      httpAgent: agents.http,
      httpsAgent: agents.https,
    }),
  });
  return { client: DynamoDBDocumentClient.from(client, { marshallOptions: { removeUndefinedValues: true } }), agents };
}

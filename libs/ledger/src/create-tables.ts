import {
  type AttributeDefinition,
  CreateTableCommand,
  type CreateTableCommandInput,
  type GlobalSecondaryIndex,
  UpdateTimeToLiveCommand,
  waitUntilTableExists,
} from '@aws-sdk/client-dynamodb';
import type { Logger } from '@manuel/telemetry';
import type { Dynamo } from './dynamo/dynamo.ts';
import { type IndexDefinition, tableDefinitions, type TableKey, tableKeys, ttlAttribute } from './tables.ts';

const waitSeconds = 60;

const keySchema = (partition: string, sort?: string): NonNullable<CreateTableCommandInput['KeySchema']> => [
  { AttributeName: partition, KeyType: 'HASH' },
  ...(sort === undefined ? [] : [{ AttributeName: sort, KeyType: 'RANGE' as const }]),
];

const indexInput = ({ name, partition, sort, include }: IndexDefinition): GlobalSecondaryIndex => ({
  IndexName: name,
  KeySchema: keySchema(partition, sort),
  Projection:
    include === undefined
      ? { ProjectionType: 'ALL' }
      : include.length === 0
        ? { ProjectionType: 'KEYS_ONLY' }
        : { ProjectionType: 'INCLUDE', NonKeyAttributes: [...include] },
});

/** CreateTable's input for one of our tables. */
export function tableInput(table: TableKey, name: string): CreateTableCommandInput {
  const { partition, sort, indexes = [] } = tableDefinitions[table];
  const attributes = new Set([partition, ...(sort === undefined ? [] : [sort])]);
  for (const index of indexes) attributes.add(index.partition).add(index.sort);
  return {
    TableName: name,
    BillingMode: 'PAY_PER_REQUEST',
    KeySchema: keySchema(partition, sort),
    AttributeDefinitions: [...attributes].map((AttributeName): AttributeDefinition => ({
      AttributeName,
      AttributeType: 'S',
    })),
    ...(indexes.length === 0 ? {} : { GlobalSecondaryIndexes: indexes.map(indexInput) }),
  };
}

const nameOf = (error: unknown): string => (error instanceof Error ? error.name : '');

async function createTable(dynamo: Dynamo, logger: Logger, table: TableKey): Promise<void> {
  const name = dynamo.table(table);
  try {
    await dynamo.client.send(new CreateTableCommand(tableInput(table, name)));
    logger.info('made a table', { table: name });
  } catch (error) {
    // It is there, or another process is making it at this moment.
    if (nameOf(error) !== 'ResourceInUseException') throw error;
  }
  await waitUntilTableExists(
    { client: dynamo.client, maxWaitTime: waitSeconds, minDelay: 1, maxDelay: 2 },
    { TableName: name },
  );
  if (!tableDefinitions[table].expires) return;
  try {
    await dynamo.client.send(
      new UpdateTimeToLiveCommand({
        TableName: name,
        TimeToLiveSpecification: { Enabled: true, AttributeName: ttlAttribute },
      }),
    );
  } catch (error) {
    // It is on already, or being turned on.
    if (nameOf(error) === 'ValidationException' || nameOf(error) === 'ResourceInUseException') return;
    // Rows then stay longer than they need to, which harms nobody.
    logger.warn('rows of a table will not expire', { table: name, error });
  }
}

/** Makes the tables that are missing and waits for all. Any number of processes may do so at once. */
export async function createTables(dynamo: Dynamo, logger: Logger): Promise<void> {
  await Promise.all(tableKeys.map((table) => createTable(dynamo, logger, table)));
}

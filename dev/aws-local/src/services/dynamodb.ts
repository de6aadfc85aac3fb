import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { batchExecuteStatement } from '../dynamodb/batch-execute-statement.ts';
import { isEngineOperation, keyNames, openEngine } from '../dynamodb/engine.ts';
import type { Engine, EngineOperation, Item } from '../dynamodb/engine.ts';
import { TimeToLive } from '../dynamodb/time-to-live.ts';
import { AwsError } from '../service.ts';
import type { AwsService, AwsServiceOptions } from '../service.ts';

const targetPrefix = 'DynamoDB_20120810.';
const sweepEveryMs = 60_000;
/** What dynalite does not know. */
const ownOperations: ReadonlySet<string> = new Set(['BatchExecuteStatement', 'DescribeTimeToLive', 'UpdateTimeToLive']);

export interface DynamoDbOptions extends Pick<AwsServiceOptions, 'dataDir' | 'region' | 'accountId' | 'log'> {
  /** How often expired items are deleted; a minute unless set. */
  readonly sweepEveryMs?: number;
}

/** DynamoDB: dynalite's store and actions, with time to live, inserts by PartiQL and the item of a failed condition added. */
export async function createDynamoDb(options: DynamoDbOptions): Promise<AwsService> {
  const engine = await openEngine(join(options.dataDir, 'leveldb'), options.region, options.accountId);
  const timeToLive = await TimeToLive.open(engine, join(options.dataDir, 'time-to-live.json'));
  let sweeping: Promise<void> = Promise.resolve();
  const timer = setInterval(() => {
    sweeping = sweeping
      .then(() => timeToLive.sweep(Math.floor(Date.now() / 1000)))
      .then((deleted) => deleted > 0 && options.log('expired items deleted', { deleted }))
      .then(
        () => undefined,
        (error: unknown) => options.log('deleting expired items failed', { error: String(error) }),
      );
  }, options.sweepEveryMs ?? sweepEveryMs).unref();

  return {
    name: 'dynamodb',
    errorProtocol: 'aws-json-1.0',
    operationOf(request) {
      const target = String(request.headers['x-amz-target'] ?? '');
      const operation = target.startsWith(targetPrefix) ? target.slice(targetPrefix.length) : '';
      return isEngineOperation(operation) || ownOperations.has(operation) ? operation : undefined;
    },
    async handle(operation, request, response) {
      const input = parseInput(await request.body());
      const output = await run(engine, timeToLive, operation, input);
      const body = JSON.stringify(output);
      response
        .writeHead(200, { 'content-type': 'application/x-amz-json-1.0', 'content-length': Buffer.byteLength(body) })
        .end(body);
    },
    async close() {
      clearInterval(timer);
      await sweeping;
      await engine.close();
    },
  };
}

async function run(engine: Engine, timeToLive: TimeToLive, operation: string, input: Item): Promise<Item> {
  if (operation === 'UpdateTimeToLive') return timeToLive.update(input);
  if (operation === 'BatchExecuteStatement') return batchExecuteStatement(engine, input);
  if (!isEngineOperation(operation)) return timeToLive.describe(input);
  switch (operation) {
    case 'CreateTable':
      return createTable(engine, input);
    case 'DeleteTable':
      return deleteTable(engine, timeToLive, input);
    default:
      return runOrExplain(engine, operation, input);
  }
}

/** Answers once the table can be used, so that nobody has to wait for a status. */
async function createTable(engine: Engine, input: Item): Promise<Item> {
  const output = await engine.run('CreateTable', input);
  while ((await statusOf(engine, input)) !== 'ACTIVE') await delay(2);
  return output;
}

/** Answers once the table is gone. */
async function deleteTable(engine: Engine, timeToLive: TimeToLive, input: Item): Promise<Item> {
  const output = await engine.run('DeleteTable', input);
  await timeToLive.forget(String(input['TableName']));
  while ((await statusOf(engine, input)) !== undefined) await delay(2);
  return output;
}

/** `TableStatus`; undefined when there is no such table. */
async function statusOf(engine: Engine, input: Item): Promise<unknown> {
  try {
    const { Table } = await engine.run('DescribeTable', { TableName: input['TableName'] });
    return Reflect.get(Object(Table), 'TableStatus');
  } catch (error) {
    if (error instanceof AwsError && error.code.endsWith('#ResourceNotFoundException')) return undefined;
    throw error;
  }
}

/** dynalite does not know `ReturnValuesOnConditionCheckFailure`; the item is read right after the failure instead. */
async function runOrExplain(engine: Engine, operation: EngineOperation, input: Item): Promise<Item> {
  try {
    return await engine.run(operation, input);
  } catch (error) {
    if (!(error instanceof AwsError) || !error.code.endsWith('#ConditionalCheckFailedException')) throw error;
    if (input['ReturnValuesOnConditionCheckFailure'] !== 'ALL_OLD') throw error;
    const { Item: item } = await engine.run('GetItem', {
      TableName: input['TableName'],
      Key: input['Key'] ?? (await keyOf(engine, input)),
      ConsistentRead: true,
    });
    throw new AwsError(error.code, error.message, error.status, item === undefined ? {} : { Item: item });
  }
}

async function keyOf(engine: Engine, input: Item): Promise<Item> {
  const names = await keyNames(engine, input['TableName']);
  return Object.fromEntries(names.map((name) => [name, Reflect.get(Object(input['Item']), name)]));
}

function parseInput(body: Buffer): Item {
  try {
    const input: unknown = JSON.parse(body.toString('utf8'));
    if (typeof input === 'object' && input !== null && !Array.isArray(input)) return { ...input };
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
  }
  throw new AwsError('com.amazon.coral.service#SerializationException', 'The request body is not a JSON object');
}

import { afterAll, beforeAll, expect, test } from '@jest/globals';
import {
  BatchExecuteStatementCommand,
  BatchGetItemCommand,
  BatchWriteItemCommand,
  CreateTableCommand,
  DeleteItemCommand,
  DeleteTableCommand,
  DescribeTableCommand,
  DescribeTimeToLiveCommand,
  DynamoDBClient,
  GetItemCommand,
  ListTablesCommand,
  PutItemCommand,
  QueryCommand,
  ScanCommand,
  TransactWriteItemsCommand,
  UpdateItemCommand,
  UpdateTimeToLiveCommand,
} from '@aws-sdk/client-dynamodb';
import { refusal, startTestAws } from '../testing/local-aws.ts';
import type { TestAws } from '../testing/local-aws.ts';

const TableName = 'jobs';
let aws: TestAws;
let db: DynamoDBClient;
beforeAll(async () => {
  aws = await startTestAws({ sweepEveryMs: 20 });
  db = new DynamoDBClient(aws.client);
  await createTable(TableName);
});
afterAll(async () => {
  db.destroy();
  await aws.close();
});

const createTable = (name: string) =>
  db.send(
    new CreateTableCommand({
      TableName: name,
      BillingMode: 'PAY_PER_REQUEST',
      AttributeDefinitions: [
        { AttributeName: 'user', AttributeType: 'S' },
        { AttributeName: 'id', AttributeType: 'S' },
        { AttributeName: 'status', AttributeType: 'S' },
      ],
      KeySchema: [
        { AttributeName: 'user', KeyType: 'HASH' },
        { AttributeName: 'id', KeyType: 'RANGE' },
      ],
      GlobalSecondaryIndexes: [
        {
          IndexName: 'by-status',
          KeySchema: [
            { AttributeName: 'status', KeyType: 'HASH' },
            { AttributeName: 'id', KeyType: 'RANGE' },
          ],
          Projection: { ProjectionType: 'ALL' },
        },
      ],
    }),
  );
const key = (user: string, id: string) => ({ user: { S: user }, id: { S: id } });

test('a table can be used as soon as it is made', async () => {
  const { Table } = await db.send(new DescribeTableCommand({ TableName }));
  expect(Table).toMatchObject({
    TableStatus: 'ACTIVE',
    TableArn: `arn:aws:dynamodb:eu-west-1:000000000000:table/${TableName}`,
  });
  expect(await refusal(createTable(TableName))).toMatchObject({ name: 'ResourceInUseException', status: 400 });
  expect((await db.send(new ListTablesCommand({}))).TableNames).toContain(TableName);
});

test('a failed condition answers the item that stood in its way', async () => {
  await db.send(new PutItemCommand({ TableName, Item: { ...key('u1', 'once'), status: { S: 'queued' } } }));
  const again = db.send(
    new PutItemCommand({
      TableName,
      Item: key('u1', 'once'),
      ConditionExpression: 'attribute_not_exists(id)',
      ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
    }),
  );
  await expect(again).rejects.toMatchObject({
    name: 'ConditionalCheckFailedException',
    Item: { status: { S: 'queued' } },
  });
  const update = db.send(
    new UpdateItemCommand({
      TableName,
      Key: key('u1', 'none'),
      UpdateExpression: 'SET tries = tries + :one',
      ConditionExpression: 'attribute_exists(id)',
      ExpressionAttributeValues: { ':one': { N: '1' } },
      ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
    }),
  );
  const missing: unknown = await update.catch((error: unknown) => error);
  expect(missing).toMatchObject({ name: 'ConditionalCheckFailedException' });
  expect(Reflect.get(Object(missing), 'Item')).toBeUndefined();
});

test('statements insert what is not there yet, each by itself', async () => {
  const Statement = `INSERT INTO "${TableName}" VALUE {'user': ?, 'id': ?, 'status': ?}`;
  const insert = (id: string, status: string) => ({
    Statement,
    Parameters: [{ S: 'u3' }, { S: id }, { S: status }],
    ReturnValuesOnConditionCheckFailure: 'ALL_OLD' as const,
  });
  const run = async (...Statements: { Statement: string; Parameters?: { S: string }[] }[]) =>
    (await db.send(new BatchExecuteStatementCommand({ Statements }))).Responses;
  expect(await run(insert('a', 'first'), insert('b', 'first'))).toEqual([{ TableName }, { TableName }]);
  const elsewhere = Statement.replace(TableName, 'none');
  expect(
    await run(
      insert('a', 'second'),
      insert('c', 'second'),
      { Statement, Parameters: [{ S: 'u3' }] },
      { ...insert('d', 'second'), Statement: elsewhere },
      { Statement: `INSERT INTO "${TableName}" VALUE {'id': ?, 'status': ?}`, Parameters: [{ S: 'e' }, { S: 'x' }] },
      { Statement: `DELETE FROM "${TableName}" WHERE id = 'a'` },
    ),
  ).toMatchObject([
    { Error: { Code: 'DuplicateItem', Item: { ...key('u3', 'a'), status: { S: 'first' } } } },
    { TableName },
    { Error: { Code: 'ValidationError' } },
    { Error: { Code: 'ResourceNotFound' } },
    { Error: { Code: 'ValidationError' } },
    { Error: { Code: 'ValidationError' } },
  ]);
  const status = async (id: string) =>
    (await db.send(new GetItemCommand({ TableName, Key: key('u3', id) }))).Item?.['status']?.S;
  expect([await status('a'), await status('b'), await status('c')]).toEqual(['first', 'first', 'second']);
  const tooMany = run(...Array.from({ length: 26 }, (_, n) => insert(`many-${n}`, 'x')));
  expect(await refusal(tooMany)).toMatchObject({ name: 'ValidationException', status: 400 });
});

test('updates count, queries order, indexes follow', async () => {
  const count = () =>
    db.send(
      new UpdateItemCommand({
        TableName,
        Key: key('u2', 'usage'),
        UpdateExpression: 'ADD used :one SET #s = :s',
        ExpressionAttributeNames: { '#s': 'status' },
        ExpressionAttributeValues: { ':one': { N: '1' }, ':s': { S: 'counting' } },
        ReturnValues: 'ALL_NEW',
      }),
    );
  await Promise.all([count(), count(), count()]);
  expect((await count()).Attributes).toMatchObject({ used: { N: '4' } });

  await db.send(
    new BatchWriteItemCommand({
      RequestItems: {
        [TableName]: ['c', 'a', 'b'].map((id) => ({
          PutRequest: { Item: { ...key('u2', id), status: { S: 'done' } } },
        })),
      },
    }),
  );
  const query = await db.send(
    new QueryCommand({
      TableName,
      IndexName: 'by-status',
      KeyConditionExpression: '#s = :done',
      ExpressionAttributeNames: { '#s': 'status' },
      ExpressionAttributeValues: { ':done': { S: 'done' } },
      ScanIndexForward: false,
      Limit: 2,
    }),
  );
  expect(query.Items?.map((item) => item['id']?.S)).toEqual(['c', 'b']);
  expect(query.LastEvaluatedKey).toBeDefined();
  const batch = await db.send(
    new BatchGetItemCommand({ RequestItems: { [TableName]: { Keys: [key('u2', 'a'), key('u2', 'x')] } } }),
  );
  expect(batch.Responses?.[TableName]).toHaveLength(1);
  await db.send(new DeleteItemCommand({ TableName, Key: key('u2', 'a') }));
  expect((await db.send(new GetItemCommand({ TableName, Key: key('u2', 'a') }))).Item).toBeUndefined();
});

test('expired items go, the others stay', async () => {
  const specification = { Enabled: true, AttributeName: 'expires' };
  expect((await db.send(new DescribeTimeToLiveCommand({ TableName }))).TimeToLiveDescription).toEqual({
    TimeToLiveStatus: 'DISABLED',
  });
  const now = Math.floor(Date.now() / 1000);
  const expiries = { past: { N: String(now - 10) }, future: { N: String(now + 1000) }, text: { S: String(now - 10) } };
  for (const [id, expires] of Object.entries(expiries)) {
    await db.send(new PutItemCommand({ TableName, Item: { ...key('ttl', id), expires } }));
  }
  await db.send(new UpdateTimeToLiveCommand({ TableName, TimeToLiveSpecification: specification }));
  expect((await db.send(new DescribeTimeToLiveCommand({ TableName }))).TimeToLiveDescription).toEqual({
    TimeToLiveStatus: 'ENABLED',
    AttributeName: 'expires',
  });
  const ids = async () => {
    const { Items } = await db.send(
      new QueryCommand({
        TableName,
        KeyConditionExpression: '#u = :u',
        ExpressionAttributeNames: { '#u': 'user' },
        ExpressionAttributeValues: { ':u': { S: 'ttl' } },
      }),
    );
    return (Items ?? []).map((item) => item['id']?.S);
  };
  while ((await ids()).includes('past'));
  expect(await ids()).toEqual(['future', 'text']);
  expect(
    await refusal(db.send(new UpdateTimeToLiveCommand({ TableName, TimeToLiveSpecification: specification }))),
  ).toMatchObject({
    name: 'ValidationException',
    message: 'TimeToLive is already enabled',
  });
});

test('refuses by the names of DynamoDB', async () => {
  expect(await refusal(db.send(new ScanCommand({ TableName: 'none' })))).toMatchObject({
    name: 'ResourceNotFoundException',
    status: 400,
  });
  expect(await refusal(db.send(new PutItemCommand({ TableName, Item: { user: { S: 'u' } } })))).toMatchObject({
    name: 'ValidationException',
    status: 400,
  });
  const transaction = new TransactWriteItemsCommand({ TransactItems: [{ Put: { TableName, Item: key('a', 'b') } }] });
  expect(await refusal(db.send(transaction))).toMatchObject({ name: 'UnknownOperationException', status: 400 });
});

test('a table that was deleted is gone', async () => {
  await createTable('short');
  await db.send(new PutItemCommand({ TableName: 'short', Item: key('a', 'b') }));
  await db.send(new DeleteTableCommand({ TableName: 'short' }));
  expect(await refusal(db.send(new DescribeTableCommand({ TableName: 'short' })))).toMatchObject({
    name: 'ResourceNotFoundException',
  });
  const late = new PutItemCommand({ TableName: 'short', Item: key('a', 'b') });
  expect(await refusal(db.send(late))).toMatchObject({ name: 'ResourceNotFoundException' });
  await createTable('short');
  expect((await db.send(new ScanCommand({ TableName: 'short' }))).Items).toEqual([]);
});

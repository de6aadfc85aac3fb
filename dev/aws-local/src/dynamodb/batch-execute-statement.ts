import { AwsError } from '../service.ts';
import { type Engine, type Item, keyNames } from './engine.ts';

/** DynamoDB's own limit. */
const mostStatements = 25;
const insert = /^\s*INSERT\s+INTO\s+(?:"([\w.-]+)"|([\w.-]+))\s+VALUE\s+\{(.*)\}\s*$/is;
const attribute = /^\s*'([^']+)'\s*:\s*\?\s*$/;

/** Codes of the API's own errors as they stand in the answer for one statement. */
const codes: Readonly<Record<string, string>> = {
  ValidationException: 'ValidationError',
  ResourceNotFoundException: 'ResourceNotFound',
  ConditionalCheckFailedException: 'DuplicateItem',
};

interface Insert {
  readonly table: string;
  readonly item: Item;
  readonly tellsOld: boolean;
}

/**
 * PartiQL's BatchExecuteStatement, which dynalite does not know, as far as it inserts items whose values are parameters. Each
 * statement succeeds or fails by itself
 * (https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchExecuteStatement.html).
 */
export async function batchExecuteStatement(engine: Engine, input: Item): Promise<Item> {
  const statements: unknown = input['Statements'];
  if (!Array.isArray(statements) || statements.length === 0 || statements.length > mostStatements) {
    throw invalid(`Statements must have 1 to ${mostStatements} members.`);
  }
  const keys = new Map<string, Promise<string[]>>();
  const run = async (statement: unknown): Promise<Item> => {
    try {
      const { table, item, tellsOld } = readInsert(statement);
      const names = keys.get(table) ?? keyNames(engine, table);
      keys.set(table, names);
      return await insertItem(engine, await names, { table, item, tellsOld });
    } catch (error) {
      if (!(error instanceof AwsError)) throw error;
      const code = error.code.replace(/^.*#/, '');
      return { Error: { Code: codes[code] ?? code, Message: error.message, ...error.details } };
    }
  };
  return { Responses: await Promise.all(statements.map(run)) };
}

async function insertItem(engine: Engine, keys: readonly string[], { table, item, tellsOld }: Insert): Promise<Item> {
  const [partition = ''] = keys;
  try {
    await engine.run('PutItem', {
      TableName: table,
      Item: item,
      ConditionExpression: 'attribute_not_exists(#key)',
      ExpressionAttributeNames: { '#key': partition },
    });
    return { TableName: table };
  } catch (error) {
    if (!(error instanceof AwsError) || !error.code.endsWith('#ConditionalCheckFailedException')) throw error;
    const Key = Object.fromEntries(keys.map((name) => [name, item[name]]));
    const old = tellsOld ? await engine.run('GetItem', { TableName: table, Key, ConsistentRead: true }) : {};
    throw new AwsError(error.code, 'Duplicate primary key exists in table', error.status, old);
  }
}

function readInsert(statement: unknown): Insert {
  const { Statement, Parameters, ReturnValuesOnConditionCheckFailure } = Object(statement) as Record<string, unknown>;
  const [, quoted, bare, inner = ''] = insert.exec(String(Statement)) ?? [];
  const table = quoted ?? bare;
  if (table === undefined) throw invalid('aws-local runs statements INSERT INTO "table" VALUE {…} alone.');
  const names = inner.split(',').map((part) => {
    const [, name] = attribute.exec(part) ?? [];
    if (name === undefined) throw invalid(`aws-local inserts parameters alone, not ${part.trim()}.`);
    return name;
  });
  const values: readonly unknown[] = Array.isArray(Parameters) ? Parameters : [];
  if (values.length !== names.length) {
    throw invalid("Number of parameters in request and statement don't match.");
  }
  return {
    table,
    item: Object.fromEntries(names.map((name, index) => [name, values[index]])),
    tellsOld: ReturnValuesOnConditionCheckFailure === 'ALL_OLD',
  };
}

const invalid = (message: string): AwsError => new AwsError('com.amazon.coral.validate#ValidationException', message);

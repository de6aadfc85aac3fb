import { createRequire } from 'node:module';
import { AwsError } from '../service.ts';
import { commitInGroups } from './group-commit.ts';
import type { ItemDatabase } from './group-commit.ts';

/**
 * dynalite ships no types and its own server would want a second port, so its store, validation and actions are
 * called directly. This is all that we use of it.
 */
interface Store {
  readonly db: ItemDatabase & { open(): Promise<void>; close(): Promise<void> };
  readonly tableDb: { awsAccountId: string; awsRegion: string };
  /** `checkStatus` is left out by the actions on items, which need an active table and do not change it. */
  getTable(name: string, ...rest: [checkStatus: boolean, done: TableCallback] | [done: TableCallback]): void;
}
type TableCallback = (error: unknown, table?: unknown) => void;
interface StoreModule {
  create(options: { path: string; createTableMs: number; deleteTableMs: number; updateTableMs: number }): Store;
}
interface Validations {
  checkTypes(data: unknown, types: unknown): Record<string, unknown>;
  checkValidations(data: unknown, types: unknown, custom: unknown, store: Store): void;
}
interface Action {
  readonly validation: { readonly types: unknown; readonly custom?: unknown };
  readonly run: (store: Store, data: Record<string, unknown>, done: (error: unknown, result?: unknown) => void) => void;
}

const require = createRequire(import.meta.url);
const operations = [
  'BatchGetItem',
  'BatchWriteItem',
  'CreateTable',
  'DeleteItem',
  'DeleteTable',
  'DescribeTable',
  'GetItem',
  'ListTables',
  'ListTagsOfResource',
  'PutItem',
  'Query',
  'Scan',
  'TagResource',
  'UntagResource',
  'UpdateItem',
  'UpdateTable',
] as const;

const tableOperations: ReadonlySet<string> = new Set(['CreateTable', 'DeleteTable', 'UpdateTable']);

export type EngineOperation = (typeof operations)[number];
export type Item = Record<string, unknown>;

export function isEngineOperation(name: string): name is EngineOperation {
  return operations.some((operation) => operation === name);
}

export interface Engine {
  /** Validates and runs an operation of the DynamoDB API. Throws the AwsError that DynamoDB would answer. */
  run(operation: EngineOperation, input: Item): Promise<Item>;
  close(): Promise<void>;
}

/** Opens the LevelDB store at `path`. Throws when another process has it open. */
export async function openEngine(path: string, region: string, accountId: string): Promise<Engine> {
  const storeModule: StoreModule = require('dynalite/db');
  const validations: Validations = require('dynalite/validations');
  const actions = new Map(operations.map((name) => [name, loadAction(name)]));
  const store = storeModule.create({ path, createTableMs: 0, deleteTableMs: 0, updateTableMs: 0 });
  store.tableDb.awsRegion = region;
  store.tableDb.awsAccountId = accountId;
  try {
    await store.db.open();
  } catch (error) {
    throw new Error(`cannot open ${path}: is another aws-local running on the same LOCAL_DIR?`, { cause: error });
  }
  commitInGroups(store.db);
  const forgetTables = rememberTables(store);
  return {
    run(operation, input) {
      const action = actions.get(operation);
      if (!action) throw new Error(`dynalite has no action ${operation}`);
      return new Promise((resolve, reject) => {
        try {
          const data = validations.checkTypes(structuredClone(input), action.validation.types);
          validations.checkValidations(data, action.validation.types, action.validation.custom, store);
          action.run(store, data, (error, result) => {
            if (tableOperations.has(operation)) forgetTables();
            if (error) reject(toAwsError(error));
            else resolve(Object.fromEntries(Object.entries(result ?? {})));
          });
        } catch (error) {
          reject(toAwsError(error));
        }
      });
    },
    close: () => store.db.close(),
  };
}

/** dynalite reads the table's description from disk for every item; this keeps it. Answers how to forget it. */
function rememberTables(store: Store): () => void {
  let known = new Map<string, unknown>();
  const getTable = store.getTable.bind(store);
  store.getTable = (name, ...rest) => {
    if (rest.length === 2) return getTable(name, ...rest);
    const [done] = rest;
    const current = known;
    const table = current.get(name);
    if (table !== undefined) return setImmediate(done, null, table);
    return getTable(name, (error, found) => {
      if (!error) current.set(name, found); // lost when the tables were forgotten meanwhile
      done(error, found);
    });
  };
  return () => {
    known = new Map();
  };
}

/** The attributes of a table's primary key: partition key, then sort key if there is one. */
export async function keyNames(engine: Engine, table: unknown): Promise<string[]> {
  const { Table } = await engine.run('DescribeTable', { TableName: table });
  const schema: unknown = Reflect.get(Object(Table), 'KeySchema');
  return Array.isArray(schema) ? schema.map((part) => String(Reflect.get(Object(part), 'AttributeName'))) : [];
}

function loadAction(operation: EngineOperation): Action {
  const file = operation.charAt(0).toLowerCase() + operation.slice(1);
  const run: Action['run'] = require(`dynalite/actions/${file}`);
  const validation: Action['validation'] = require(`dynalite/validations/${file}`);
  return { run, validation };
}

/** dynalite's errors carry the answer in `statusCode` and `body`; anything else is a fault of its own. */
function toAwsError(error: unknown): Error {
  if (!(error instanceof Error)) return new Error(String(error));
  const status: unknown = Reflect.get(error, 'statusCode');
  const body: unknown = Reflect.get(error, 'body');
  if (typeof status !== 'number' || typeof body !== 'object' || body === null) return error;
  const message: unknown = Reflect.get(body, 'message') ?? Reflect.get(body, 'Message') ?? '';
  return new AwsError(String(Reflect.get(body, '__type')), String(message), status);
}

import { BatchExecuteStatementCommand } from '@aws-sdk/lib-dynamodb';
import type { ManuelError } from '@manuel/contracts';
import { z } from 'zod';
import type { TableKey } from '../tables.ts';
import { attributeJson } from './direct-call.ts';
import type { Deadline, Dynamo } from './dynamo.ts';
import { toLedgerError } from './failures.ts';

type Item = Readonly<Record<string, unknown>>;

/** `there`: a row with that key exists, perhaps written by an earlier try of ours. */
export type Inserted = 'new' | 'there';

/** What DynamoDB says of a statement that may succeed when it is run again. */
const passing: ReadonlySet<string> = new Set([
  'ThrottlingError',
  'ProvisionedThroughputExceeded',
  'RequestLimitExceeded',
  'TransactionConflict',
  'InternalServerError',
]);
const duplicate = 'DuplicateItem';

const answerSchema = z.object({
  Responses: z.array(z.object({ Error: z.object({ Code: z.string(), Message: z.string().optional() }).optional() })),
});
/** For each statement, in order: undefined when it succeeded, else DynamoDB's code and words. */
type Refusals = z.infer<typeof answerSchema>['Responses'][number]['Error'][];

/**
 * Writes up to 25 rows in one call, each only if there is none with its key. BatchWriteItem knows no conditions; PartiQL's INSERT
 * is one, and each statement of a batch succeeds or fails by itself
 * (https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ql-reference.multiplestatements.batching.html). Answers for
 * each row, in order, what became of it.
 */
export async function batchInsert(
  dynamo: Dynamo,
  table: TableKey,
  rows: readonly Item[],
  deadline: Deadline = dynamo.deadline('request'),
): Promise<(Inserted | ManuelError)[]> {
  const verdicts = new Map<Item, Inserted | ManuelError>();
  let fresh = 0;
  let pending = rows;
  for (let tries = 0; pending.length > 0; tries += 1) {
    let refusals: Refusals;
    try {
      refusals = await insert(dynamo, dynamo.table(table), pending, deadline);
    } catch (error) {
      const failure = toLedgerError(error, 'BatchExecuteStatement');
      const several = failure.code === 'internal' && pending.length > 1;
      for (const row of pending) {
        // One row that DynamoDB cannot read spoils the whole call: then each is written alone, and only the bad one fails.
        const [alone = failure] = several ? await batchInsert(dynamo, table, [row], deadline) : [];
        verdicts.set(row, alone);
      }
      break;
    }
    const again: Item[] = [];
    for (const [index, row] of pending.entries()) {
      const refusal = refusals[index];
      if (refusal?.Code === duplicate) verdicts.set(row, 'there');
      else if (refusal) {
        verdicts.set(row, toLedgerError(asException(refusal), 'INSERT'));
        if (passing.has(refusal.Code)) again.push(row);
      } else {
        verdicts.set(row, 'new');
        fresh += 1;
      }
    }
    if (again.length > 0 && !(await dynamo.pause(deadline, tries))) break;
    pending = again;
  }
  dynamo.written(table, fresh);
  // Safe: each has been pending, and whatever became of it is noted.
  return rows.map((row) => verdicts.get(row) as Inserted | ManuelError);
}

/** A statement's refusal as the SDK would throw it for a call. */
function asException({ Code, Message = 'no words' }: NonNullable<Refusals[number]>): Error {
  const error = new Error(`DynamoDB answered ${Code} to an INSERT: ${Message}`);
  error.name = Code === 'ValidationError' ? 'ValidationException' : Code;
  return error;
}

/** One call. */
function insert(dynamo: Dynamo, table: string, rows: readonly Item[], deadline: Deadline): Promise<Refusals> {
  const statements = rows.map((row) => toStatementJson(table, row));
  const read = (answer: unknown): Refusals => {
    const refusals = answerSchema.parse(answer).Responses.map((response) => response.Error);
    if (refusals.length === rows.length) return refusals;
    throw new Error(`${rows.length} statements were answered by ${refusals.length}`);
  };
  return dynamo.runDirectly('BatchExecuteStatement', deadline, {
    body: statements.includes(undefined) ? undefined : `{"Statements":[${statements.join(',')}]}`,
    read,
    async command(client, options) {
      const Statements = rows.map((row) => {
        const names = Object.keys(row).filter((name) => row[name] !== undefined);
        return { Statement: insertOf(table, names), Parameters: names.map((name) => row[name]) };
      });
      return read(await client.send(new BatchExecuteStatementCommand({ Statements }), options));
    },
  });
}

/** Names stand in the code, and none has a quote. */
const insertOf = (table: string, names: readonly string[]): string =>
  `INSERT INTO "${table}" VALUE {${names.map((name) => `'${name}': ?`).join(', ')}}`;

interface StatementText {
  readonly table: string;
  readonly names: readonly string[];
  readonly json: string;
}
/** The last one: rows of a batch have the same attributes in the same order, nearly always. */
let lastText: StatementText | undefined;

function statementText(table: string, names: readonly string[]): string {
  const last = lastText;
  const same =
    last?.table === table && last.names.length === names.length && names.every((name, i) => name === last.names[i]);
  if (same) return last.json;
  lastText = { table, names, json: JSON.stringify(insertOf(table, names)) };
  return lastText.json;
}

/** One statement in DynamoDB's own JSON; undefined when a value is more than text, a number, a flag or null. */
function toStatementJson(table: string, row: Item): string | undefined {
  const names: string[] = [];
  let parameters = '';
  for (const name of Object.keys(row)) {
    const value = row[name];
    if (value === undefined) continue;
    const attribute = attributeJson(value);
    if (attribute === undefined) return undefined;
    names.push(name);
    parameters += parameters === '' ? attribute : `,${attribute}`;
  }
  return `{"Statement":${statementText(table, names)},"Parameters":[${parameters}]}`;
}

import { QueryCommand, type QueryCommandInput, ScanCommand, type ScanCommandInput } from '@aws-sdk/lib-dynamodb';
import type { Dynamo, Patience } from './dynamo.ts';

type Item = Record<string, unknown>;

/** All items of a query, page by page; each page has its own deadline. */
export async function* queryPages(
  dynamo: Dynamo,
  input: QueryCommandInput,
  patience: Patience,
): AsyncGenerator<Item[], void> {
  let start: Item | undefined;
  do {
    const request = start === undefined ? input : { ...input, ExclusiveStartKey: start };
    const answer = await dynamo.run('Query', patience, (client, options) =>
      client.send(new QueryCommand(request), options),
    );
    yield answer.Items ?? [];
    start = answer.LastEvaluatedKey;
  } while (start !== undefined);
}

/** All items of a scan, page by page. */
export async function* scanPages(dynamo: Dynamo, input: ScanCommandInput): AsyncGenerator<Item[], void> {
  let start: Item | undefined;
  do {
    const request = start === undefined ? input : { ...input, ExclusiveStartKey: start };
    const answer = await dynamo.run('Scan', 'effect', (client, options) =>
      client.send(new ScanCommand(request), options),
    );
    yield answer.Items ?? [];
    start = answer.LastEvaluatedKey;
  } while (start !== undefined);
}

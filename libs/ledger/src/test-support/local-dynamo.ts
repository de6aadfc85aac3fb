import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CallCounter } from '../../../../dev/aws-local/src/calls.ts';
import { Chaos } from '../../../../dev/aws-local/src/chaos.ts';
import { createHandler } from '../../../../dev/aws-local/src/server.ts';
import { createDynamoDb } from '../../../../dev/aws-local/src/services/dynamodb.ts';

/** Answers the request itself and returns true, or lets it through to DynamoDB. */
export type Fault = (operation: string, request: IncomingMessage, response: ServerResponse) => boolean;

export interface LocalDynamo {
  readonly endpoint: string;
  /** Requests by operation, so that tests can count calls. */
  readonly calls: Map<string, number>;
  fault: Fault | undefined;
  /** Sees the answer's body before the client does; returning undefined cuts the connection after the write was done. */
  answer: ((operation: string, body: string) => string | undefined) | undefined;
  close(): Promise<void>;
}

/** DynamoDB behind a door where faults can be put. */
export async function startLocalDynamo(): Promise<LocalDynamo> {
  const dataDir = await mkdtemp(join(tmpdir(), 'manuel-dynamo-'));
  const log = (): void => undefined;
  const database = await createDynamoDb({ dataDir, region: 'eu-west-1', accountId: '000000000000', log });
  const handle = createHandler(
    Promise.resolve({
      services: new Map([['dynamodb' as const, database]]),
      controls: {
        chaos: new Chaos(),
        calls: new CallCounter(),
        messages: { list: () => [], clear: log },
        config: {},
      },
      log,
    }),
  );
  const local: { -readonly [Key in keyof LocalDynamo]: LocalDynamo[Key] } = {
    endpoint: '',
    calls: new Map(),
    fault: undefined,
    answer: undefined,
    close: async () => {
      front.close();
      front.closeAllConnections();
      await once(front, 'close');
      await database.close();
      await rm(dataDir, { recursive: true });
    },
  };
  const front = createServer((request, response) => {
    const operation = String(request.headers['x-amz-target']).split('.')[1] ?? '';
    local.calls.set(operation, (local.calls.get(operation) ?? 0) + 1);
    if (local.fault?.(operation, request, response)) return;
    const { answer } = local;
    if (answer !== undefined) changeAnswer(response, (body) => answer(operation, body));
    handle(request, response);
  });
  front.listen(0, '127.0.0.1');
  await once(front, 'listening');
  // A listening TCP server always has an AddressInfo.
  local.endpoint = `http://127.0.0.1:${(front.address() as AddressInfo).port}`;
  return local;
}

/** The body goes through `change` before it is sent; undefined cuts the connection. */
function changeAnswer(response: ServerResponse, change: (body: string) => string | undefined): void {
  const end = response.end.bind(response);
  const { writeHead } = response;
  // Not sent yet: the length may change.
  response.writeHead = ((code: number, headers: Record<string, string>) => {
    response.statusCode = code;
    for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
    return response;
  }) as typeof response.writeHead;
  response.end = ((body: unknown) => {
    const changed = change(String(body ?? ''));
    if (changed === undefined) return response.destroy();
    response.setHeader('content-length', Buffer.byteLength(changed));
    response.writeHead = writeHead;
    return end(changed);
  }) as typeof response.end;
}

/** A fault that refuses as DynamoDB does. */
export function refuse(response: ServerResponse, name: string, status = 400): true {
  const body = JSON.stringify({ __type: `com.amazonaws.dynamodb.v20120810#${name}`, message: 'injected' });
  response.writeHead(status, { 'content-type': 'application/x-amz-json-1.0' }).end(body);
  return true;
}

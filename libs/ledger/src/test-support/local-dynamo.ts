import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createRequire } from 'node:module';

/** dynalite ships no types; this is all that we use of it. */
type Dynalite = (options: { createTableMs: number; deleteTableMs: number; updateTableMs: number }) => Server;
// Safe: checked against dynalite 4's README.
const dynalite = createRequire(import.meta.url)('dynalite') as Dynalite;

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

/** DynamoDB in memory behind a door where faults can be put. */
export async function startLocalDynamo(): Promise<LocalDynamo> {
  const database = dynalite({ createTableMs: 0, deleteTableMs: 0, updateTableMs: 0 });
  const local: { -readonly [Key in keyof LocalDynamo]: LocalDynamo[Key] } = {
    endpoint: '',
    calls: new Map(),
    fault: undefined,
    answer: undefined,
    close: async () => {
      front.close();
      front.closeAllConnections();
      await once(front, 'close');
    },
  };
  const front = createServer((request, response) => {
    const operation = String(request.headers['x-amz-target']).split('.')[1] ?? '';
    local.calls.set(operation, (local.calls.get(operation) ?? 0) + 1);
    if (local.fault?.(operation, request, response)) return;
    const { answer } = local;
    if (answer !== undefined) {
      const end = response.end.bind(response);
      response.end = ((body: unknown) => {
        const changed = answer(operation, String(body ?? ''));
        if (changed === undefined) return response.destroy();
        response.removeHeader('x-amz-crc32');
        response.setHeader('content-length', Buffer.byteLength(changed));
        return end(changed);
      }) as typeof response.end;
    }
    database.emit('request', request, response);
  });
  front.listen(0, '127.0.0.1');
  await once(front, 'listening');
  // A listening TCP server always has an AddressInfo.
  local.endpoint = `http://127.0.0.1:${(front.address() as AddressInfo).port}`;
  return local;
}

/** A fault that refuses as DynamoDB does. */
export function refuse(response: ServerResponse, name: string, status = 400): true {
  const body = JSON.stringify({ __type: `com.amazonaws.dynamodb.v20120810#${name}`, message: 'injected' });
  response.writeHead(status, { 'content-type': 'application/x-amz-json-1.0' }).end(body);
  return true;
}

import { BatchWriteItemCommand } from '@aws-sdk/client-dynamodb';
import { getEndpointFromInstructions } from '@smithy/core/endpoints';
import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import type { Settings } from '@manuel/settings';
import { type Dispatcher, Pool } from 'undici';
import { requestSigner } from './sign-request.ts';

type Item = Readonly<Record<string, unknown>>;

/** An answer that only the SDK's own command can make something of: it was asked wrongly, or the clock is off. */
export class NotAnswered extends Error {
  override readonly name = 'NotAnswered';
}

/** What DynamoDB said, named as the SDK names it. */
class DynamoDbRefusal extends Error {
  readonly $metadata: { readonly httpStatusCode: number };
  constructor(name: string, httpStatusCode: number) {
    super(`DynamoDB answered ${httpStatusCode} ${name}`);
    this.name = name;
    this.$metadata = { httpStatusCode };
  }
}

const namesRemembered = 200;
const openings = new Map<string, string>();
/** An attribute's name as JSON. Names stand in the code, so there are few. */
function openingOf(name: string): string {
  const known = openings.get(name);
  if (known !== undefined) return known;
  const opening = `${JSON.stringify(name)}:`;
  if (openings.size < namesRemembered) openings.set(name, opening);
  return opening;
}

/** What is the same in JSON: printable ASCII without quotes and backslashes. Asked first, it costs less than `JSON.stringify`. */
const plainText = /^[ !#-[\]-~]{0,200}$/;

/** A value in DynamoDB's own JSON; undefined when it is more than text, a number, a flag or null. */
export function attributeJson(value: unknown): string | undefined {
  if (typeof value === 'string') return plainText.test(value) ? `{"S":"${value}"}` : `{"S":${JSON.stringify(value)}}`;
  if (typeof value === 'number') return Number.isFinite(value) ? `{"N":"${value}"}` : undefined;
  if (typeof value === 'boolean') return `{"BOOL":${value}}`;
  return value === null ? '{"NULL":true}' : undefined;
}

/**
 * A row in DynamoDB's own JSON; undefined when it holds more than text, numbers, flags and nulls. Made at once as text: with
 * objects for all of it a row would cost twice as much.
 */
export function toAttributesJson(row: Item): string | undefined {
  let json = '';
  for (const name of Object.keys(row)) {
    const value = row[name];
    if (value === undefined) continue;
    const attribute = attributeJson(value);
    if (attribute === undefined) return undefined;
    json += (json === '' ? '{' : ',') + openingOf(name) + attribute;
  }
  return json === '' ? '{}' : `${json}}`;
}

export type DirectOperation = 'BatchExecuteStatement' | 'BatchWriteItem' | 'UpdateItem';

/** A call in DynamoDB's own JSON, answered likewise. Throws what the SDK throws, or `NotAnswered`. */
export type DirectCall = (
  operation: DirectOperation,
  body: string,
  options: { readonly abortSignal: AbortSignal },
) => Promise<unknown>;

export interface DirectCalls {
  readonly call: DirectCall;
  /** Ends the connections, whatever is on its way. */
  close(): Promise<void>;
}

/** Milliseconds a connection is kept without use: a new one costs three round trips. */
const idleMs = 50_000;

/**
 * Calls on the hot path, without the SDK's commands and Node's own HTTP client: their schema walks, middleware, clones and
 * streams cost several times the request itself. What matters is the SDK's own: endpoint rules, credentials and clock; and the
 * signature is the same.
 */
export function directCalls({ config }: DynamoDBDocumentClient, { pool }: Pick<Settings, 'pool'>): DirectCalls {
  const sign = requestSigner(config);
  let known: Promise<Connections> | undefined;

  async function connect(): Promise<Connections> {
    const { url } = await getEndpointFromInstructions({}, BatchWriteItemCommand, config);
    return {
      host: url.host,
      dispatcher: new Pool(url.origin, {
        connections: pool.max_connections,
        connect: { timeout: pool.connect_timeout_ms },
        keepAliveTimeout: idleMs,
        allowH2: false,
        // The signal of each call is its time limit.
        headersTimeout: 0,
        bodyTimeout: 0,
      }),
    };
  }

  return {
    async call(operation, body, options) {
      known ??= connect();
      const { host, dispatcher } = await known.catch((error: unknown) => {
        known = undefined;
        throw error;
      });
      const at = new Date(Date.now() + config.systemClockOffset);
      const headers = await sign({ host, target: `DynamoDB_20120810.${operation}`, body, at });
      const { status, text } = await post(dispatcher, { headers, body, signal: options.abortSignal });
      if (status !== 200) throw failureIn(status, text);
      return JSON.parse(text);
    },
    async close() {
      await (await known?.catch(() => undefined))?.dispatcher.destroy();
    },
  };
}

interface Connections {
  readonly host: string;
  readonly dispatcher: Dispatcher;
}

function failureIn(status: number, text: string): Error {
  const name = /"__type"\s*:\s*"(?:[^"#]*#)?(\w+)"/.exec(text)?.[1] ?? 'Unknown';
  return status >= 500 || status === 429 || /Throttling|Throughput|RequestLimit|ConditionalCheckFailed/.test(name)
    ? new DynamoDbRefusal(name, status)
    : new NotAnswered(`DynamoDB answered ${status} ${name}`);
}

/** Answers when all of the answer is there. Its only time limit is the signal. */
async function post(
  dispatcher: Dispatcher,
  message: { readonly headers: Record<string, string>; readonly body: string; readonly signal: AbortSignal },
): Promise<{ readonly status: number; readonly text: string }> {
  const { headers, body, signal } = message;
  signal.throwIfAborted();
  return new Promise((resolve, reject) => {
    const parts: Buffer[] = [];
    let status = 0;
    let started: Dispatcher.DispatchController | undefined;
    const abort = (): void => {
      // Safe: `Dynamo.run` gives the reason.
      const why = signal.reason as Error;
      started?.abort(why);
      // One that waits for a connection has nothing to abort yet.
      reject(why);
    };
    signal.addEventListener('abort', abort, { once: true });
    dispatcher.dispatch(
      { method: 'POST', path: '/', headers, body },
      {
        onRequestStart(controller) {
          started = controller;
          if (signal.aborted) abort();
        },
        onResponseStart(_controller, code) {
          status = code;
        },
        onResponseData(_controller, part) {
          parts.push(part);
        },
        onResponseEnd() {
          resolve({ status, text: Buffer.concat(parts).toString('utf8') });
        },
        onResponseError(_controller, error) {
          reject(error);
        },
      },
    );
  });
}

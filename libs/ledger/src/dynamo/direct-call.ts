import { BatchWriteItemCommand } from '@aws-sdk/client-dynamodb';
import { getEndpointFromInstructions } from '@smithy/core/endpoints';
import { type IncomingMessage, type OutgoingHttpHeaders, request as requestPlainly } from 'node:http';
import { request as requestSecurely } from 'node:https';
import type { Connection } from './client.ts';
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

/** A value in DynamoDB's own JSON. */
function attributeJson(value: unknown): string | undefined {
  if (typeof value === 'string') return `{"S":${JSON.stringify(value)}}`;
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

/** A call in DynamoDB's own JSON, answered likewise. Throws what the SDK throws, or `NotAnswered`. */
export type DirectCall = (
  operation: 'BatchWriteItem' | 'UpdateItem',
  body: string,
  options: { readonly abortSignal: AbortSignal },
) => Promise<unknown>;

/**
 * Calls on the hot path, without the SDK's commands: their schema walks, middleware and clones cost several times the request
 * itself. What matters is the SDK's own: endpoint rules, credentials, clock, connections; and the signature is the same.
 */
export function directCall({ client, agents }: Connection): DirectCall {
  const { config } = client;
  const sign = requestSigner(config);
  let known: Promise<URL> | undefined;

  return async (operation, body, options) => {
    known ??= getEndpointFromInstructions({}, BatchWriteItemCommand, config).then(({ url }) => url);
    const endpoint = await known.catch((error: unknown) => {
      known = undefined;
      throw error;
    });
    const at = new Date(Date.now() + config.systemClockOffset);
    const headers = await sign({ host: endpoint.host, target: `DynamoDB_20120810.${operation}`, body, at });
    const { status, text } = await post(endpoint, agents, { headers, body, signal: options.abortSignal });
    if (status !== 200) throw failureIn(status, text);
    return JSON.parse(text);
  };
}

function failureIn(status: number, text: string): Error {
  const name = /"__type"\s*:\s*"(?:[^"#]*#)?(\w+)"/.exec(text)?.[1] ?? 'Unknown';
  return status >= 500 || status === 429 || /Throttling|Throughput|RequestLimit|ConditionalCheckFailed/.test(name)
    ? new DynamoDbRefusal(name, status)
    : new NotAnswered(`DynamoDB answered ${status} ${name}`);
}

/** Answers when all of the answer is there. Its only time limit is the signal. */
function post(
  endpoint: URL,
  agents: Connection['agents'],
  message: { readonly headers: OutgoingHttpHeaders; readonly body: string; readonly signal: AbortSignal },
): Promise<{ readonly status: number; readonly text: string }> {
  const { headers, body, signal } = message;
  const { port } = endpoint;
  // An IPv6 address stands in brackets in a URL, and only there.
  const hostname = endpoint.hostname.replace(/^\[(.*)\]$/, '$1');
  const where = { method: 'POST', path: '/', hostname, port, headers };
  return new Promise((resolve, reject) => {
    const answered = (response: IncomingMessage): void => {
      readText(response).then((text) => resolve({ status: response.statusCode ?? 0, text }), reject);
    };
    const request =
      endpoint.protocol === 'https:'
        ? requestSecurely({ ...where, agent: agents.https }, answered)
        : requestPlainly({ ...where, agent: agents.http }, answered);
    // The signal is of this call alone. A request that Node gave up by itself emits no error: the limit must hold all the same.
    const abort = (): void => {
      const why = signal.reason as Error;
      request.destroy(why);
      reject(why);
    };
    if (signal.aborted) abort();
    signal.addEventListener('abort', abort, { once: true });
    request.once('error', reject);
    request.end(body);
  });
}

/** There with its last announced byte; Node says so two turns later. */
function readText(body: IncomingMessage): Promise<string> {
  return new Promise((resolve, reject) => {
    const parts: Buffer[] = [];
    let missing = Number(body.headers['content-length'] ?? Number.NaN);
    const whole = (): void => resolve(Buffer.concat(parts).toString('utf8'));
    body.on('data', (part: Buffer) => {
      parts.push(part);
      missing -= part.length;
      if (missing === 0) whole();
    });
    body.once('end', whole);
    body.once('error', reject);
    body.once('close', () => reject(new Error('DynamoDB closed the connection within its answer')));
  });
}

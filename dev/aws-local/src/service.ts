import type { IncomingMessage, ServerResponse } from 'node:http';

/**
 * The seam between the one listening port (server.ts) and the services behind it.
 *
 * server.ts names the service from the SigV4 credential scope (header or presigned query; unsigned Cognito calls by
 * `X-Amz-Target`), asks the service which operation a request is, applies faults (`/_chaos`), counts the call
 * (`/_calls`) and then hands it over.
 */
export type AwsServiceName =
  | 's3'
  | 'dynamodb'
  | 'sns'
  | 'cognito-idp'
  | 'transcribe'
  | 'bedrock-runtime'
  | 'bedrock-agent'
  | 'bedrock-agent-runtime';

export interface AwsRequest {
  readonly raw: IncomingMessage;
  readonly method: string;
  /** Path as sent, still percent-encoded, without the query. */
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingMessage['headers'];
  /** Reads the whole body once; at most 64 MiB. */
  body(): Promise<Buffer>;
  /** The body of the query protocol (SNS), which names its operation there; already read when a service sees it. */
  readonly form?: URLSearchParams;
  /** Aborted when the client goes away. */
  readonly signal: AbortSignal;
}

/** How the service's errors look on the wire. */
export type ErrorProtocol = 'rest-json' | 'aws-json-1.1' | 'aws-json-1.0' | 'query-xml' | 's3-xml';

export interface AwsService {
  readonly name: AwsServiceName;
  readonly errorProtocol: ErrorProtocol;
  /** The AWS operation name (`Retrieve`, `PutObject`, ...), or undefined for a request this service does not know. */
  operationOf(request: AwsRequest): string | undefined;
  /** Answers the request. A thrown AwsError becomes the wire error; anything else becomes InternalServerException (500). */
  handle(operation: string, request: AwsRequest, response: ServerResponse): Promise<void>;
  close(): Promise<void>;
}

/** An error as AWS would answer it: `code` is AWS's own name, e.g. `ValidationException`. */
export class AwsError extends Error {
  readonly code: string;
  readonly status: number;
  /** Further members of a JSON error, such as the `Item` of a failed condition. */
  readonly details: Readonly<Record<string, unknown>>;
  constructor(code: string, message: string, status = 400, details: Readonly<Record<string, unknown>> = {}) {
    super(message);
    this.name = 'AwsError';
    this.code = code;
    this.status = status;
    this.details = details;
  }
}

/** What every service is made from. */
export interface AwsServiceOptions {
  /** The service's own folder under LOCAL_DIR/aws; it exists. */
  readonly dataDir: string;
  readonly region: string;
  readonly accountId: string;
  /** Base URL of this process, e.g. http://127.0.0.1:4566 */
  readonly endpoint: string;
  /** Reads an object straight from the local S3 (no HTTP hop, no call counted); undefined when there is none. */
  readObject(bucket: string, key: string): Promise<Buffer | undefined>;
  /** Keys under a prefix, sorted. */
  listObjects(bucket: string, prefix: string): Promise<string[]>;
  /** Writes an object straight to the local S3 (Transcribe's output). */
  writeObject(bucket: string, key: string, body: Buffer, contentType: string): Promise<void>;
  log(message: string, fields?: Record<string, unknown>): void;
}

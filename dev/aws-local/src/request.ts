import type { IncomingMessage, ServerResponse } from 'node:http';
import { AwsError } from './service.ts';
import type { AwsRequest } from './service.ts';

const maxBodyBytes = 64 * 1024 * 1024;

/** The service's view of one HTTP request. */
export function toAwsRequest(raw: IncomingMessage, response: ServerResponse): AwsRequest {
  const left = new AbortController();
  response.once('close', () => {
    if (!response.writableFinished) left.abort();
  });
  const target = raw.url ?? '/';
  const mark = target.indexOf('?');
  let body: Promise<Buffer> | undefined;
  return {
    raw,
    method: raw.method ?? 'GET',
    path: mark < 0 ? target : target.slice(0, mark),
    query: new URLSearchParams(mark < 0 ? '' : target.slice(mark + 1)),
    headers: raw.headers,
    body: () => (body ??= readBody(raw)),
    signal: left.signal,
  };
}

/** Reads the form of a query-protocol request, so that its operation can be told. */
export async function withForm(request: AwsRequest): Promise<AwsRequest> {
  if (request.headers['content-type']?.startsWith('application/x-www-form-urlencoded') !== true) return request;
  return { ...request, form: new URLSearchParams((await request.body()).toString('utf8')) };
}

async function readBody(raw: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  // Not destroyed when we stop early: the client shall still get an answer.
  for await (const chunk of raw.iterator({ destroyOnReturn: false })) {
    const bytes: Buffer = chunk;
    size += bytes.length;
    if (size > maxBodyBytes) {
      throw new AwsError('RequestEntityTooLargeException', `The body is larger than ${maxBodyBytes} bytes.`, 413);
    }
    chunks.push(bytes);
  }
  return Buffer.concat(chunks, size);
}

import type { ServerResponse } from 'node:http';
import { JsonText } from '../../domain/json-text.ts';
import { takeHeaders } from './gathered-headers.ts';

export type Headers = Readonly<Record<string, string>>;

/** Answers with JSON. Written by hand because it is on every request's way: no ETag, no second serialisation. */
export function sendJson(
  response: ServerResponse,
  status: number,
  body: unknown,
  headers: Headers = {},
  contentType = 'application/json; charset=utf-8',
): void {
  const text = body instanceof JsonText ? body.text : JSON.stringify(body);
  const bytes = Buffer.byteLength(text);
  const all = takeHeaders(response);
  all.push('Content-Type', contentType, 'Content-Length', String(bytes));
  for (const name in headers) all.push(name, headers[name] ?? '');
  response.writeHead(status, all);
  // As a string it goes out together with the headers, in one write. Only plain ASCII: what must be encoded first is quicker so.
  if (bytes === text.length) response.end(text, 'latin1');
  else response.end(Buffer.from(text));
}

export function sendEmpty(response: ServerResponse, status: number, headers: Headers = {}): void {
  const all = takeHeaders(response);
  for (const name in headers) all.push(name, headers[name] ?? '');
  if (status !== 204 && status !== 304) all.push('Content-Length', '0');
  response.writeHead(status, all);
  response.end();
}

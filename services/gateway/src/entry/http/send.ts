import type { ServerResponse } from 'node:http';
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
  // As a string it goes out together with the headers, in one write.
  const text = JSON.stringify(body);
  const all = takeHeaders(response);
  all.push('Content-Type', contentType, 'Content-Length', String(Buffer.byteLength(text)));
  for (const name in headers) all.push(name, headers[name] ?? '');
  response.writeHead(status, all);
  response.end(text);
}

export function sendEmpty(response: ServerResponse, status: number, headers: Headers = {}): void {
  const all = takeHeaders(response);
  for (const name in headers) all.push(name, headers[name] ?? '');
  if (status !== 204 && status !== 304) all.push('Content-Length', '0');
  response.writeHead(status, all);
  response.end();
}

import type { ServerResponse } from 'node:http';

export type Headers = Readonly<Record<string, string>>;

/** Answers with JSON. Written by hand because it is on every request's way: no ETag, no second serialisation. */
export function sendJson(
  response: ServerResponse,
  status: number,
  body: unknown,
  headers: Headers = {},
  contentType = 'application/json; charset=utf-8',
): void {
  const text = Buffer.from(JSON.stringify(body));
  response.statusCode = status;
  response.setHeader('Content-Type', contentType);
  response.setHeader('Content-Length', text.length);
  for (const name in headers) response.setHeader(name, headers[name] ?? '');
  response.end(text);
}

export function sendEmpty(response: ServerResponse, status: number, headers: Headers = {}): void {
  response.statusCode = status;
  for (const name in headers) response.setHeader(name, headers[name] ?? '');
  if (status !== 204 && status !== 304) response.setHeader('Content-Length', 0);
  response.end();
}

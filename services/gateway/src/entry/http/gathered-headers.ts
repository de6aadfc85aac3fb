import { ServerResponse } from 'node:http';

const gathered = Symbol('headers that go out with the status line');
type Gathering = { [gathered]?: string[] | undefined };

const { writeHead } = ServerResponse.prototype;

/** Whoever answers by Express's own means (pages, streams, the board) gets the gathered headers here. What it set itself stands. */
function writeGathered<R extends ServerResponse & Gathering>(this: R, ...args: unknown[]): R {
  const headers = this[gathered];
  if (headers !== undefined) {
    this[gathered] = undefined;
    const own = new Set(this.getHeaderNames());
    for (let i = 0; i + 1 < headers.length; i += 2) {
      const name = headers[i] ?? '';
      if (!own.has(name.toLowerCase())) this.appendHeader(name, headers[i + 1] ?? '');
    }
  }
  Reflect.apply(writeHead, this, args);
  return this;
}

/**
 * Begins to gather the headers of an answer: a flat list (name, value, name, value) that is written together with the status
 * line costs a fraction of a `setHeader` each.
 */
export function gatherHeaders(response: ServerResponse & Gathering): void {
  response[gathered] = [];
  response.writeHead = writeGathered;
}

/** One more header; a name may come twice. */
export function addHeader(response: ServerResponse & Gathering, name: string, value: string): void {
  const headers = response[gathered];
  if (headers) headers.push(name, value);
  else response.appendHeader(name, value);
}

/** One more member of a header that is a list (RFC 9110, 5.6.1). */
export function addToListHeader(response: ServerResponse & Gathering, name: string, member: string): void {
  const headers = response[gathered];
  const at = headers?.indexOf(name) ?? -1;
  if (headers && at >= 0) headers[at + 1] += `, ${member}`;
  else addHeader(response, name, member);
}

/** The gathered headers, for the one who writes them itself. */
export function takeHeaders(response: ServerResponse & Gathering): string[] {
  const headers = response[gathered] ?? [];
  response[gathered] = undefined;
  return headers;
}

import { randomUUID } from 'node:crypto';

const validId = /^[A-Za-z0-9._:/+=@-]{1,128}$/;
const validTrace = /^00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}$/;

/** The client's own id when it is harmless in logs and headers, else a fresh one. */
export function requestIdFrom(header: string | string[] | undefined): string {
  return typeof header === 'string' && validId.test(header) ? header : randomUUID();
}

/** A W3C trace context (version 00), or undefined when there is none or it is malformed. */
export function traceparentFrom(header: string | string[] | undefined): string | undefined {
  return typeof header === 'string' && validTrace.test(header) ? header : undefined;
}

import type { RequestHandler } from 'express';
import { addHeader } from './gathered-headers.ts';

const exposed = [
  'Location',
  'Retry-After',
  'Preference-Applied',
  'X-Request-Id',
  'RateLimit',
  'RateLimit-Policy',
  'WWW-Authenticate',
].join(', ');
const allowedHeaders = [
  'Authorization',
  'Content-Type',
  'Idempotency-Key',
  'Last-Event-ID',
  'Prefer',
  'X-Request-Id',
  'X-Signature',
  'traceparent',
].join(', ');

/** Whether a browser page of this origin may call. `*` allows all: tokens travel in headers, never in cookies. */
export function createOriginCheck(origins: readonly string[]): (origin: string) => boolean {
  if (origins.includes('*')) return () => true;
  const known = new Set(origins.map((origin) => origin.replace(/\/+$/, '').toLowerCase()));
  return (origin) => known.has(origin.toLowerCase());
}

/** CORS for the API. Credentials are never allowed, so `*` gives away nothing that a token does not guard. */
export function cors(origins: readonly string[]): RequestHandler {
  const allowed = createOriginCheck(origins);
  const any = origins.includes('*');
  return (request, response, next) => {
    const { origin } = request.headers;
    if (!any) addHeader(response, 'Vary', 'Origin');
    if (origin === undefined || !allowed(origin)) {
      next();
      return;
    }
    addHeader(response, 'Access-Control-Allow-Origin', any ? '*' : origin);
    addHeader(response, 'Access-Control-Expose-Headers', exposed);
    if (request.method === 'OPTIONS' && request.headers['access-control-request-method'] !== undefined) {
      response.setHeader('Access-Control-Allow-Methods', 'GET, POST, PUT, DELETE');
      response.setHeader('Access-Control-Allow-Headers', allowedHeaders);
      response.setHeader('Access-Control-Max-Age', '600');
      response.status(204).end();
      return;
    }
    next();
  };
}

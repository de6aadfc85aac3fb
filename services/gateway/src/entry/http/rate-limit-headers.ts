import { hash } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import { addHeader } from './gathered-headers.ts';

const remembered = 10_000;
const partitionKeys = new Map<string, string>();

/** The draft's partition key: tells apart whose quota it is, and tells nobody who that is. */
function partitionKey(key: string): string {
  const known = partitionKeys.get(key);
  if (known !== undefined) return known;
  if (partitionKeys.size >= remembered) partitionKeys.clear();
  const made = Buffer.from(hash('sha256', key, 'hex').slice(0, 12)).toString('base64');
  partitionKeys.set(key, made);
  return made;
}

export interface Counted {
  readonly key: string;
  readonly remaining: number;
  /** Milliseconds since 1970. */
  readonly resetAt: number;
}

/**
 * The headers of draft-ietf-httpapi-ratelimit-headers-08, as express-rate-limit writes them too, only that it hashes the key
 * anew for every request.
 */
export function addRateLimitHeaders(
  response: ServerResponse,
  limit: { readonly name: string; readonly limit: number; readonly windowMs: number },
  counted: Counted,
): void {
  const resetS = Math.max(0, Math.ceil((counted.resetAt - Date.now()) / 1000));
  addHeader(response, 'RateLimit', `"${limit.name}"; r=${counted.remaining}; t=${resetS}`);
  const policy = `"${limit.name}"; q=${limit.limit}; w=${Math.ceil(limit.windowMs / 1000)}; pk=:${partitionKey(counted.key)}:`;
  addHeader(response, 'RateLimit-Policy', policy);
}

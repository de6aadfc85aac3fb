import { hash } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import type { Hits } from '../../adapters/hit-counter.ts';
import { addToListHeader } from './gathered-headers.ts';

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

/** The headers of draft-ietf-httpapi-ratelimit-headers-08, for one limit. */
export function rateLimitHeaders(policy: {
  readonly name: string;
  readonly limit: number;
  readonly windowMs: number;
}): (response: ServerResponse, key: string, counted: Hits) => void {
  const { name, limit, windowMs } = policy;
  const about = `"${name}"; q=${limit}; w=${Math.ceil(windowMs / 1000)}; pk=:`;
  return (response, key, { hits, resetAt }) => {
    // One header each for the limits of address and user: every header of an answer costs a fifth of a microsecond.
    const resetS = Math.max(0, Math.ceil((resetAt - Date.now()) / 1000));
    addToListHeader(response, 'RateLimit', `"${name}"; r=${Math.max(0, limit - hits)}; t=${resetS}`);
    addToListHeader(response, 'RateLimit-Policy', `${about}${partitionKey(key)}:`);
  };
}

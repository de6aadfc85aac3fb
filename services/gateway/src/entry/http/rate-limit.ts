import { type IncrementResponse, type RateLimitInfo, type Store, ipKeyGenerator, rateLimit } from 'express-rate-limit';
import type { Request, RequestHandler } from 'express';
import { ManuelError } from '@manuel/contracts';
import type { Hits, HitCounter } from '../../adapters/hit-counter.ts';
import { type Counted, addRateLimitHeaders } from './rate-limit-headers.ts';
import { stateOf } from './request-state.ts';

export interface RateLimits {
  /** Before authentication: by client address. Costs no wait: counts here and tells Redis in the background. */
  readonly byAddress: RequestHandler;
  /** After it: by user, over all gateways. */
  readonly byUser: RequestHandler;
  /** The same counts for WebSockets: an upgrade by its address, a message by its user. Throw `rate_limited`. */
  countUpgrade(address: string | undefined): void;
  countMessage(userId: string): Promise<void>;
}

const toResponse = ({ hits, resetAt }: Hits): IncrementResponse => ({ totalHits: hits, resetTime: new Date(resetAt) });

/** A limit counts up only: what was asked is never given back. */
const neverDown = { decrement: () => undefined, resetKey: () => undefined };

const refusal = (resetAt: number): ManuelError =>
  new ManuelError('rate_limited', 'Too many requests. Wait as long as Retry-After says.', {
    retryAfterMs: Math.max(1, resetAt - Date.now()),
  });

/** What the limiter found, as it leaves it on the request. */
function countedOf(
  request: Request & { readonly rateLimit?: RateLimitInfo },
  limit: number,
  windowMs: number,
): Counted {
  const { key = '', remaining = limit, resetTime } = request.rateLimit ?? {};
  return { key, remaining, resetAt: resetTime?.getTime() ?? Date.now() + windowMs };
}

function limiter(
  windowMs: number,
  name: string,
  limit: number,
  keyOf: (request: Request) => string,
  increment: (key: string) => Promise<IncrementResponse> | IncrementResponse,
): RequestHandler {
  const store: Store = { increment, ...neverDown };
  const limited = rateLimit({
    windowMs,
    limit,
    identifier: name,
    standardHeaders: false,
    legacyHeaders: false,
    keyGenerator: keyOf,
    store,
    // Its checks look for mistakes in options; the address is Express's own, from the trusted hops.
    validate: false,
    handler: (request, _response, next) => next(refusal(countedOf(request, limit, windowMs).resetAt)),
  });
  return (request, response, next) =>
    limited(request, response, (error?: unknown) => {
      addRateLimitHeaders(response, { name, limit, windowMs }, countedOf(request, limit, windowMs));
      next(error);
    });
}

/** One address: an IPv4 address in IPv6 form counts as IPv4; IPv6 counts by its /56, which is what one customer has. */
function addressKey(of: string | undefined): string {
  const address = (of ?? 'unknown').replace(/^::ffff:(?=\d+\.)/i, '');
  return `address:${address.includes(':') ? ipKeyGenerator(address) : address}`;
}

/** `limit` requests in each window of the counter, by address and by user. */
export function createRateLimits(counter: HitCounter, limit: number): RateLimits {
  const { windowMs } = counter;
  return {
    byAddress: limiter(
      windowMs,
      'address',
      limit,
      (request) => addressKey(request.ip),
      (key) => toResponse(counter.hitNow(key)),
    ),
    byUser: limiter(
      windowMs,
      'user',
      limit,
      (request) => `user:${stateOf(request).identity?.userId ?? ''}`,
      async (key) => toResponse(await counter.hit(key)),
    ),
    countUpgrade(address) {
      const { hits, resetAt } = counter.hitNow(addressKey(address));
      if (hits > limit) throw refusal(resetAt);
    },
    async countMessage(userId) {
      const { hits, resetAt } = await counter.hit(`user:${userId}`);
      if (hits > limit) throw refusal(resetAt);
    },
  };
}

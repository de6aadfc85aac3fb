import { type IncrementResponse, type Store, ipKeyGenerator, rateLimit } from 'express-rate-limit';
import type { Request, RequestHandler } from 'express';
import { ManuelError } from '@manuel/contracts';
import type { Hits, HitCounter } from '../../adapters/hit-counter.ts';
import { clientAddress } from './client-address.ts';
import { rateLimitHeaders } from './rate-limit-headers.ts';
import { stateOf } from './request-state.ts';

export interface RateLimits {
  /** Before authentication: by client address. Costs no wait: counts here and tells Redis in the background. */
  readonly byAddress: RequestHandler;
  /** After it: by user, over all gateways. Waits for Redis only when a good part of the limit is used up. */
  readonly byUser: RequestHandler;
  /** The same counts for WebSockets: an upgrade by its address, a message by its user. Throw `rate_limited`. */
  countUpgrade(address: string | undefined): void;
  countMessage(userId: string): Promise<void>;
}

/** Share of a limit within which no gateway waits to hear of the others: four of them together cannot pass the limit unseen. */
const sureShare = 1 / 4;

const refusal = (resetAt: number): ManuelError =>
  new ManuelError('rate_limited', 'Too many requests. Wait as long as Retry-After says.', {
    retryAfterMs: Math.max(1, resetAt - Date.now()),
  });

/** A limit counts up only: what was asked is never given back. */
const neverDown = { decrement: () => undefined, resetKey: () => undefined };

/**
 * Counts, and lets whoever is within the limit pass at once. Only who may be over it meets express-rate-limit, whose store is
 * that count: its promises and headers cost more than all the rest of a request that passes.
 */
function limiter(
  counter: HitCounter,
  name: string,
  limit: number,
  keyOf: (request: Request) => string,
  count: (key: string) => Hits | Promise<Hits>,
): RequestHandler {
  const { windowMs } = counter;
  const increment = (key: string): IncrementResponse => {
    const { hits, resetAt } = counter.known(key);
    return { totalHits: hits, resetTime: new Date(resetAt) };
  };
  const store: Store = { increment, ...neverDown };
  const decide = rateLimit({
    windowMs,
    limit,
    identifier: name,
    standardHeaders: false,
    legacyHeaders: false,
    keyGenerator: keyOf,
    store,
    // Its checks look for mistakes in options; the address is Express's own, from the trusted hops.
    validate: false,
    handler: (request, _response, next) => next(refusal(counter.known(keyOf(request)).resetAt)),
  });
  const headersOf = rateLimitHeaders({ name, limit, windowMs });
  return (request, response, next) => {
    const key = keyOf(request);
    const judge = (counted: Hits): unknown => {
      headersOf(response, key, counted);
      return counted.hits > limit ? decide(request, response, next) : next();
    };
    const counted = count(key);
    return counted instanceof Promise ? counted.then(judge) : judge(counted);
  };
}

/** One address: an IPv4 address in IPv6 form counts as IPv4; IPv6 counts by its /56, which is what one customer has. */
function addressKey(of: string | undefined): string {
  const address = (of ?? 'unknown').replace(/^::ffff:(?=\d+\.)/i, '');
  return `address:${address.includes(':') ? ipKeyGenerator(address) : address}`;
}

/** `limit` requests in each window of the counter, by address and by user. */
export function createRateLimits(counter: HitCounter, limit: number, trustedProxies: number): RateLimits {
  return {
    byAddress: limiter(
      counter,
      'address',
      limit,
      (request) => addressKey(clientAddress(request, trustedProxies)),
      (key) => counter.hitNow(key),
    ),
    byUser: limiter(
      counter,
      'user',
      limit,
      (request) => `user:${stateOf(request).identity?.userId ?? ''}`,
      (key) => counter.hitSoon(key, limit * sureShare),
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

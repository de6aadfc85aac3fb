import type { IncomingMessage } from 'node:http';
import type { NextFunction, RequestHandler } from 'express';
import { ManuelError } from '@manuel/contracts';
import type { TokenVerifier } from '../../adapters/token-verifier.ts';
import { VerifiedTokens } from '../../adapters/verified-tokens.ts';
import type { Caller, Identity } from '../../domain/caller.ts';
import { type RequestState, stateOf } from './request-state.ts';

/** The token of `Authorization: Bearer`; throws `unauthenticated` when there is none. */
export function bearerToken(request: IncomingMessage): string {
  const header = request.headers.authorization;
  const match = header === undefined ? null : /^Bearer +([\w.~+/=-]+) *$/i.exec(header);
  if (!match?.[1]) {
    throw new ManuelError('unauthenticated', 'Send Authorization: Bearer with an access token of the user pool.');
  }
  return match[1];
}

const rememberedHeaders = 10_000;

/**
 * Remembers who asks. Synchronous for a token that was verified before, and then without taking the header, which is a page
 * long, apart.
 */
export function authenticate(tokens: TokenVerifier): RequestHandler {
  const byHeader = new VerifiedTokens<Identity>(rememberedHeaders);
  return (request, _response, next) => {
    const state = stateOf(request);
    const header = request.headers.authorization ?? '';
    const remembered = byHeader.get(header, Date.now());
    if (remembered) {
      state.identity = remembered;
      next();
      return undefined;
    }
    const token = bearerToken(request);
    // Where revocation is checked no token is known.
    const known = tokens.known(token);
    if (known) {
      byHeader.set(header, known);
      state.identity = known;
      next();
      return undefined;
    }
    return verifyFirst(tokens, token, state, next);
  };
}

async function verifyFirst(
  tokens: TokenVerifier,
  token: string,
  state: RequestState,
  next: NextFunction,
): Promise<void> {
  state.identity = await tokens.verify(token);
  next();
}

/** Who asks; only behind `authenticate`. */
export function callerOf(request: IncomingMessage): Caller {
  const { identity, requestId, traceparent } = stateOf(request);
  if (!identity) throw new ManuelError('unauthenticated', 'Sign in first.');
  return { ...identity, requestId, ...(traceparent === undefined ? {} : { traceparent }) };
}

import type { NextFunction, Request, RequestHandler, Response } from 'express';
import { ManuelError } from '@manuel/contracts';
import type { TokenVerifier } from '../../adapters/token-verifier.ts';
import { isViewer } from '../../domain/caller.ts';
import { bearerToken, callerOf } from '../http/authenticate.ts';
import { stateOf } from '../http/request-state.ts';

const cookieName = 'manuel_ops';

function cookieToken(request: Request): string | undefined {
  for (const pair of (request.headers.cookie ?? '').split(';')) {
    const [name, ...value] = pair.trim().split('=');
    if (name === cookieName) return value.join('=') || undefined;
  }
  return undefined;
}

const attributes = (request: Request): string =>
  `Path=/ops; HttpOnly; SameSite=Strict${request.secure ? '; Secure' : ''}`;

/** The access token itself is the session: signed by the pool, it needs no store and holds on every gateway. */
export function setSession(request: Request, response: Response, token: string, maxAgeS: number): void {
  response.setHeader('Set-Cookie', `${cookieName}=${token}; Max-Age=${Math.max(0, maxAgeS)}; ${attributes(request)}`);
}

export function clearSession(request: Request, response: Response): void {
  response.setHeader('Set-Cookie', `${cookieName}=; Max-Age=0; ${attributes(request)}`);
}

const reads = new Set(['GET', 'HEAD', 'OPTIONS']);

/**
 * Whether a request that changes something comes from our own page: browsers say so in Sec-Fetch-Site, older ones in Origin.
 * SameSite=Strict keeps other sites out already; this keeps out neighbours on the same site as well.
 */
export function checkSameOrigin(request: Request): void {
  if (reads.has(request.method)) return;
  const site = request.get('sec-fetch-site');
  const origin = request.get('origin');
  const own =
    site === undefined ? origin !== undefined && hostOf(origin) === request.get('host') : site === 'same-origin';
  if (!own) throw new ManuelError('forbidden', 'Change things from the operators’ own page only.');
}

const hostOf = (origin: string): string | undefined => (URL.canParse(origin) ? new URL(origin).host : undefined);

/** Whether the cookie names a valid session; leaves the identity in the request's state. */
export async function readSession(tokens: TokenVerifier, request: Request): Promise<boolean> {
  const token = cookieToken(request);
  if (token === undefined) return false;
  try {
    stateOf(request).identity = tokens.known(token) ?? (await tokens.verify(token));
    return true;
  } catch (error) {
    if (error instanceof ManuelError && error.code === 'unauthenticated') return false;
    throw error;
  }
}

/**
 * Lets operators and viewers in: by a Bearer token, or by the session's cookie and then only from our own pages. A browser
 * without a session is sent to the sign-in page.
 */
export function requireViewer(tokens: TokenVerifier): RequestHandler {
  return async (request: Request, response: Response, next: NextFunction) => {
    if (request.headers.authorization !== undefined) {
      stateOf(request).identity = await tokens.verify(bearerToken(request));
    } else if (await readSession(tokens, request)) {
      checkSameOrigin(request);
    } else if (request.method === 'GET' && request.accepts(['json', 'html']) === 'html') {
      response.redirect(303, '/ops');
      return;
    } else {
      throw new ManuelError('unauthenticated', 'Sign in at /ops, or send an access token of an operator.');
    }
    if (!isViewer(callerOf(request))) throw new ManuelError('forbidden', 'This is for operators.');
    next();
  };
}

import { JwtRsaVerifier } from 'aws-jwt-verify';
import { JwtBaseError, JwtExpiredError } from 'aws-jwt-verify/error';
import { SimpleJwksCache } from 'aws-jwt-verify/jwk';
import { ManuelError, userIdSchema } from '@manuel/contracts';
import type { Settings } from '@manuel/settings';
import type { Identity } from '../domain/caller.ts';
import { VerifiedTokens } from './verified-tokens.ts';

const rememberedTokens = 10_000;
const longestToken = 8192;
const keysTimeoutMs = 3000;

export interface TokenVerifier {
  /** Throws `unauthenticated`, or `unavailable` when the pool's keys cannot be had. */
  verify(token: string): Promise<Identity>;
  /** The identity when this very token was verified before and still holds: no await on the hot path. */
  known(token: string): Identity | undefined;
  /** Throws while the pool's keys cannot be had. */
  ready(): Promise<void>;
}

/** Whether a token was revoked; throws `unauthenticated` when it was. */
export type CheckRevocation = (token: string) => Promise<void>;

const refused = (detail: string, cause?: unknown): ManuelError =>
  new ManuelError('unauthenticated', detail, cause === undefined ? {} : { cause });

/** Cognito's issuer of this pool; where another is set (a local pool), that one. */
function issuerOf(settings: Pick<Settings, 'region' | 'cognito'>): { issuer: string; jwksUri: string } {
  const { issuer, jwks_uri, user_pool_id } = settings.cognito;
  const own = issuer === '' ? `https://cognito-idp.${settings.region}.amazonaws.com/${user_pool_id}` : issuer;
  return { issuer: own, jwksUri: jwks_uri === '' ? `${own}/.well-known/jwks.json` : jwks_uri };
}

async function fetchKeys(uri: string): Promise<ArrayBuffer> {
  try {
    const response = await fetch(uri, { signal: AbortSignal.timeout(keysTimeoutMs), redirect: 'error' });
    if (!response.ok) throw new Error(`the pool's keys: HTTP ${response.status}`);
    return await response.arrayBuffer();
  } catch (cause) {
    throw new ManuelError('unavailable', 'Sign-in cannot be checked at the moment. Try again soon.', { cause });
  }
}

/**
 * Checks access tokens of the user pool: signature, issuer, client, use and expiry. On top of what aws-jwt-verify checks, a
 * token without `exp` or with a `crit` header (an extension that we would have to understand, and know none) is refused.
 */
export function createTokenVerifier(
  settings: Pick<Settings, 'region' | 'cognito'>,
  checkRevocation?: CheckRevocation,
): TokenVerifier {
  const { issuer, jwksUri } = issuerOf(settings);
  const verifier = JwtRsaVerifier.create(
    {
      issuer,
      jwksUri,
      audience: null,
      customJwtCheck: ({ header, payload }) => {
        if (payload['token_use'] !== 'access') throw refused('This is no access token.');
        if (payload['client_id'] !== settings.cognito.client_id) throw refused('The token is for another client.');
        if (typeof payload.exp !== 'number') throw refused('The token never expires, which is not accepted.');
        if ('crit' in header) throw refused('The token demands an extension that is not known here.');
      },
    },
    { jwksCache: new SimpleJwksCache({ fetcher: { fetch: fetchKeys } }) },
  );
  const verified = new VerifiedTokens<Identity>(rememberedTokens);

  async function verifyFresh(token: string): Promise<Identity> {
    if (token.length > longestToken) throw refused('The token is too long.');
    try {
      const payload = await verifier.verify(token);
      const userId = userIdSchema.safeParse(payload.sub);
      if (!userId.success) throw refused('The token names no user.');
      const groups: unknown = payload['cognito:groups'];
      return {
        userId: userId.data,
        groups: Array.isArray(groups) ? groups.filter((group) => typeof group === 'string') : [],
        // customJwtCheck has made sure of a number.
        expiresAtMs: Number(payload.exp) * 1000,
      };
    } catch (error) {
      if (error instanceof ManuelError) throw error;
      if (error instanceof JwtExpiredError) throw refused('The token has expired. Sign in again.', error);
      if (error instanceof JwtBaseError) throw refused('The token is not valid.', error);
      throw refused('The token cannot be read.', error);
    }
  }

  return {
    async verify(token) {
      const found = verified.get(token, Date.now());
      if (found && !checkRevocation) return found;
      const identity = found ?? (await verifyFresh(token));
      await checkRevocation?.(token);
      verified.set(token, identity);
      return identity;
    },
    known: (token) => (checkRevocation ? undefined : verified.get(token, Date.now())),
    ready: () => verifier.hydrate(),
  };
}

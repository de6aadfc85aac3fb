import { ManuelError } from '@manuel/contracts';
import type { UserPool } from '@manuel/aws';
import { VerifiedTokens } from './verified-tokens.ts';
import type { CheckRevocation } from './token-verifier.ts';

/** A revoked token is refused at the latest after this. */
const believedMs = 30_000;
const rememberedTokens = 10_000;

/** Asks the user pool whether a token still holds, at most once in half a minute for each token. */
export function checkRevocation(pool: Pick<UserPool, 'isRevoked'>): CheckRevocation {
  const good = new VerifiedTokens<{ expiresAtMs: number }>(rememberedTokens);
  return async (token) => {
    if (good.get(token, Date.now())) return;
    if (await pool.isRevoked(token)) {
      throw new ManuelError('unauthenticated', 'The token was revoked. Sign in again.');
    }
    good.set(token, { expiresAtMs: Date.now() + believedMs });
  };
}

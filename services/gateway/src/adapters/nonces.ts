import type { Redis } from 'ioredis';
import { ManuelError } from '@manuel/contracts';
import { signatureWindowS } from '../domain/check-signature.ts';

/** Whether a nonce of a signed request is seen for the first time, by any gateway. Throws `unavailable`. */
export type ClaimNonce = (keyId: string, nonce: string) => Promise<boolean>;

/** A nonce is remembered for as long as its signature could still be in the window. */
export function createNonces(redis: Redis, prefix: string): ClaimNonce {
  return async (keyId, nonce) => {
    try {
      return (await redis.set(`${prefix}:nonce:${keyId}:${nonce}`, '1', 'EX', 2 * signatureWindowS, 'NX')) === 'OK';
    } catch (cause) {
      throw new ManuelError('unavailable', 'Signatures cannot be checked at the moment. Try again soon.', { cause });
    }
  };
}

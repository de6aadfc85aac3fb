import type { RequestHandler } from 'express';
import { ManuelError } from '@manuel/contracts';
import type { Gateway } from '../../context.ts';
import { sha256Hex } from '../../domain/canonical-json.ts';
import { checkSignature, parseKeys } from '../../domain/check-signature.ts';
import { stateOf } from './request-state.ts';

const emptySha256 = sha256Hex('');

/**
 * Checks signed requests after their body was read. `optional`: a signature that is there must be right; `required`: a
 * sensitive operation must have one as well.
 */
export function requireSignature(
  { settings, claimNonce }: Pick<Gateway, 'settings' | 'claimNonce'>,
  sensitive: boolean,
): RequestHandler[] {
  const { hmac, hmac_keys } = settings.security;
  if (hmac === 'off') return [];
  const keys = parseKeys(hmac_keys);
  return [
    async (request, _response, next) => {
      const header = request.get('x-signature');
      if (header !== undefined) {
        const multipart = request.is('multipart/form-data');
        if (multipart) throw new ManuelError('signature_invalid', 'Forms cannot be signed. Send JSON.');
        await checkSignature(
          keys,
          header,
          {
            method: request.method,
            target: request.originalUrl,
            bodySha256: stateOf(request).bodySha256 ?? emptySha256,
          },
          claimNonce,
        );
      } else if (hmac === 'required' && sensitive) {
        throw new ManuelError('signature_invalid', 'This operation must be signed: send X-Signature.');
      }
      next();
    },
  ];
}

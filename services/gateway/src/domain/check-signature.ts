import { createHmac, timingSafeEqual } from 'node:crypto';
import { ManuelError } from '@manuel/contracts';

/** The parts of `X-Signature: t=<unix seconds>,k=<key id>,n=<nonce>,v1=<hex HMAC-SHA256>`. */
export interface Signature {
  readonly t: number;
  readonly keyId: string;
  readonly nonce: string;
  readonly hmac: string;
}

/** What is signed besides the signature's own time and nonce. */
export interface SignedRequest {
  readonly method: string;
  /** Path with query, as it was sent. */
  readonly target: string;
  /** Hex; of no bytes when there is no body. */
  readonly bodySha256: string;
}

/** Seconds that a signature's time may be away from ours, either way. */
export const signatureWindowS = 300;

const form = /^t=(\d{1,12}),k=([A-Za-z0-9_-]{1,64}),n=([\x21-\x2b\x2d-\x7e]{1,128}),v1=([0-9a-f]{64})$/;

const invalid = (why: string): ManuelError =>
  new ManuelError('signature_invalid', `The signature is not valid: ${why}.`);

export function parseSignature(header: string): Signature {
  const match = form.exec(header);
  if (!match) throw invalid('send t=<unix seconds>,k=<key id>,n=<nonce>,v1=<hex HMAC-SHA256>');
  const [, t = '', keyId = '', nonce = '', hmac = ''] = match;
  return { t: Number(t), keyId, nonce, hmac };
}

/** Hex HMAC-SHA256 over `t.n.METHOD.path?query.sha256(body)`. */
export function signatureOf(
  secret: string,
  { t, nonce }: Pick<Signature, 't' | 'nonce'>,
  request: SignedRequest,
): string {
  const text = [t, nonce, request.method, request.target, request.bodySha256].join('.');
  return createHmac('sha256', secret).update(text).digest('hex');
}

/** `id:secret` pairs with commas between; several ids may be valid at once, so that keys can be changed without a pause. */
export function parseKeys(text: string): ReadonlyMap<string, string> {
  const pairs = text.split(',').flatMap((pair) => {
    const [id = '', ...secret] = pair.trim().split(':');
    return id !== '' && secret.length > 0 ? [[id, secret.join(':')] as const] : [];
  });
  return new Map(pairs);
}

/**
 * Throws `signature_invalid` unless a known key has signed exactly this request within the window. `claimNonce` tells whether
 * the nonce is seen for the first time; it is asked last, so that only who holds a key can use nonces up.
 */
export async function checkSignature(
  keys: ReadonlyMap<string, string>,
  header: string,
  request: SignedRequest,
  claimNonce: (keyId: string, nonce: string) => Promise<boolean>,
  nowMs = Date.now(),
): Promise<void> {
  const signature = parseSignature(header);
  if (Math.abs(nowMs / 1000 - signature.t) > signatureWindowS) throw invalid('its time is more than five minutes away');
  const secret = keys.get(signature.keyId);
  // An unknown key takes as long as a wrong one.
  const expected = Buffer.from(signatureOf(secret ?? '', signature, request), 'hex');
  const same = timingSafeEqual(expected, Buffer.from(signature.hmac, 'hex'));
  if (secret === undefined || !same)
    throw invalid('key, nonce, time, method, path and body must be those that were signed');
  if (!(await claimNonce(signature.keyId, signature.nonce))) throw invalid('its nonce was used before');
}

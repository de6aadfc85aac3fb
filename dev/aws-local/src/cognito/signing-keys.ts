import { createHash, createPrivateKey, createPublicKey, generateKeyPair, randomBytes, sign, verify } from 'node:crypto';
import type { JsonWebKey, KeyObject } from 'node:crypto';
import { promisify } from 'node:util';
import { JsonFile } from '../json-file.ts';

interface StoredKeys {
  /** PKCS #8, PEM */
  readonly privateKey: string;
  /** Seals refresh tokens; 32 bytes, base64. */
  readonly sealingKey: string;
}

/** The pool's keys: made once for a directory and kept there. */
export class SigningKeys {
  readonly #private: KeyObject;
  readonly #public: KeyObject;
  readonly keyId: string;
  readonly sealingKey: Buffer;

  private constructor(stored: StoredKeys) {
    this.#private = createPrivateKey(stored.privateKey);
    this.#public = createPublicKey(this.#private);
    this.sealingKey = Buffer.from(stored.sealingKey, 'base64');
    this.keyId = createHash('sha256')
      .update(this.#public.export({ type: 'spki', format: 'der' }))
      .digest('base64url');
  }

  static async open(path: string): Promise<SigningKeys> {
    const file = new JsonFile<StoredKeys | undefined>(path);
    let stored = await file.read(undefined);
    if (!stored) {
      const { privateKey } = await promisify(generateKeyPair)('rsa', { modulusLength: 2048 });
      stored = {
        privateKey: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
        sealingKey: randomBytes(32).toString('base64'),
      };
      await file.write(stored);
    }
    return new SigningKeys(stored);
  }

  /** The JSON Web Key Set that `/.well-known/jwks.json` answers. */
  jwks(): { keys: JsonWebKey[] } {
    return { keys: [{ ...this.#public.export({ format: 'jwk' }), kid: this.keyId, alg: 'RS256', use: 'sig' }] };
  }

  /** A JSON Web Token (RS256) of the claims. */
  signToken(claims: Readonly<Record<string, unknown>>): string {
    const content = `${encode({ kid: this.keyId, alg: 'RS256' })}.${encode(claims)}`;
    return `${content}.${sign('sha256', Buffer.from(content), this.#private).toString('base64url')}`;
  }

  /** The claims of a token that these keys signed; undefined for any other text. */
  readToken(token: string): Record<string, unknown> | undefined {
    const [header = '', payload = '', signature = ''] = token.split('.');
    const signed = verify(
      'sha256',
      Buffer.from(`${header}.${payload}`),
      this.#public,
      Buffer.from(signature, 'base64url'),
    );
    if (!signed) return undefined;
    const claims: Record<string, unknown> = JSON.parse(Buffer.from(payload, 'base64url').toString('utf8'));
    return claims;
  }
}

function encode(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}

import { type KeyObject, createHmac, createSign, generateKeyPairSync } from 'node:crypto';
import { type Server, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');

/** An issuer of a test's own, whose tokens may be as wrong as the test likes. */
export interface TestIssuer {
  readonly issuer: string;
  readonly jwksUri: string;
  readonly clientId: string;
  /** Requests for the keys so far. */
  readonly fetches: () => number;
  /** How the keys are answered: as they are, not at all, or with an error. */
  answer: 'keys' | 'silence' | 'error';
  claims(change?: Record<string, unknown>): Record<string, unknown>;
  sign(claims: Record<string, unknown>, header?: Record<string, unknown>, key?: KeyObject): string;
  hmac(claims: Record<string, unknown>): string;
  readonly otherKey: KeyObject;
  close(): Promise<void>;
}

export async function startTestIssuer(): Promise<TestIssuer> {
  const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const other = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const jwk = { ...publicKey.export({ format: 'jwk' }), kid: 'k1', alg: 'RS256', use: 'sig' };
  let fetches = 0;
  const server: Server = createServer((_request, response) => {
    fetches += 1;
    if (issuer.answer === 'silence') return;
    if (issuer.answer === 'error') response.statusCode = 500;
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify({ keys: [jwk] }));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  // A listening TCP server always has an AddressInfo.
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const issuer: TestIssuer = {
    issuer: url,
    jwksUri: `${url}/keys`,
    clientId: 'client-1',
    fetches: () => fetches,
    answer: 'keys',
    otherKey: other.privateKey,
    claims: (change = {}) => ({
      sub: 'user-1',
      iss: url,
      client_id: 'client-1',
      token_use: 'access',
      iat: Math.floor(Date.now() / 1000),
      exp: Math.floor(Date.now() / 1000) + 600,
      ...change,
    }),
    sign(claims, header = {}, key = privateKey) {
      const input = `${encode({ alg: 'RS256', kid: 'k1', ...header })}.${encode(claims)}`;
      return `${input}.${createSign('RSA-SHA256').update(input).sign(key, 'base64url')}`;
    },
    hmac(claims) {
      const input = `${encode({ alg: 'HS256', kid: 'k1' })}.${encode(claims)}`;
      const secret = publicKey.export({ type: 'spki', format: 'pem' });
      return `${input}.${createHmac('sha256', secret).update(input).digest('base64url')}`;
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
  return issuer;
}

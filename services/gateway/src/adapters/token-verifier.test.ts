import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { settingsWith } from '@manuel/settings';
import { type TestIssuer, startTestIssuer } from '../test-support/make-token.ts';
import { checkRevocation } from './revocation.ts';
import { type TokenVerifier, createTokenVerifier } from './token-verifier.ts';

let issuer: TestIssuer;
let tokens: TokenVerifier;

const verifier = (): TokenVerifier => createTokenVerifier(settings());
const settings = () =>
  settingsWith({ cognito: { issuer: issuer.issuer, jwks_uri: issuer.jwksUri, client_id: issuer.clientId } });

beforeAll(async () => {
  issuer = await startTestIssuer();
});
beforeEach(() => {
  issuer.answer = 'keys';
  tokens = verifier();
});
afterAll(() => issuer.close());

test('a good access token names user, groups and end', async () => {
  const claims = issuer.claims({ 'cognito:groups': ['ops', 7] });
  expect(await tokens.verify(issuer.sign(claims))).toEqual({
    userId: 'user-1',
    groups: ['ops'],
    expiresAtMs: Number(claims['exp']) * 1000,
  });
});

const now = Math.floor(Date.now() / 1000);
const wrong: readonly [what: string, token: () => string][] = [
  ['expired', () => issuer.sign(issuer.claims({ exp: now - 1 }))],
  ['without an end', () => issuer.sign(issuer.claims({ exp: undefined }))],
  ['with an end that is no number', () => issuer.sign(issuer.claims({ exp: 'never' }))],
  ['not valid yet', () => issuer.sign(issuer.claims({ nbf: now + 600 }))],
  ['with an unknown critical extension', () => issuer.sign(issuer.claims(), { crit: ['x'], x: 1 })],
  ['with an empty list of critical extensions', () => issuer.sign(issuer.claims(), { crit: [] })],
  ['of another issuer', () => issuer.sign(issuer.claims({ iss: 'https://evil.example' }))],
  ['of another client', () => issuer.sign(issuer.claims({ client_id: 'client-2' }))],
  ['of another use', () => issuer.sign(issuer.claims({ token_use: 'id' }))],
  ['without a user', () => issuer.sign(issuer.claims({ sub: undefined }))],
  ['of a user whose id is no id', () => issuer.sign(issuer.claims({ sub: 'a:b/../c' }))],
  ['signed by another key', () => issuer.sign(issuer.claims(), {}, issuer.otherKey)],
  ['signed by a key nobody knows', () => issuer.sign(issuer.claims(), { kid: 'k2' })],
  ['without a key id', () => issuer.sign(issuer.claims(), { kid: undefined })],
  ['not signed', () => `${issuer.sign(issuer.claims(), { alg: 'none' }).split('.').slice(0, 2).join('.')}.`],
  ['signed by the public key as a secret', () => issuer.hmac(issuer.claims())],
  [
    'changed after it was signed',
    () => {
      const [head, , signature] = issuer.sign(issuer.claims()).split('.');
      return `${head}.${Buffer.from(JSON.stringify(issuer.claims({ sub: 'user-2' }))).toString('base64url')}.${signature}`;
    },
  ],
  ['that is none', () => 'not.a.token'],
  ['that is one word', () => 'token'],
  ['of 10,000 characters', () => `${'a'.repeat(10_000)}.b.c`],
];

test.each(wrong)('a token %s is refused', async (_what, token) => {
  await expect(tokens.verify(token())).rejects.toMatchObject({ code: 'unauthenticated' });
  // Nor is it believed the second time.
  await expect(tokens.verify(token())).rejects.toMatchObject({ code: 'unauthenticated' });
  expect(tokens.known(token())).toBeUndefined();
});

test('a token is checked once, the keys are fetched once', async () => {
  const before = issuer.fetches();
  const token = issuer.sign(issuer.claims());
  expect(tokens.known(token)).toBeUndefined();
  await Promise.all([tokens.verify(token), tokens.verify(token), tokens.verify(issuer.sign(issuer.claims()))]);
  expect(tokens.known(token)).toMatchObject({ userId: 'user-1' });
  expect(issuer.fetches() - before).toBe(1);
});

test('keys that cannot be had are our trouble, not the user’s, and it passes', async () => {
  const token = issuer.sign(issuer.claims());
  issuer.answer = 'error';
  await expect(tokens.verify(token)).rejects.toMatchObject({ code: 'unavailable' });
  await expect(tokens.ready()).rejects.toMatchObject({ code: 'unavailable' });
  issuer.answer = 'silence';
  await expect(tokens.verify(token)).rejects.toMatchObject({ code: 'unavailable' });
  issuer.answer = 'keys';
  expect(await tokens.verify(token)).toMatchObject({ userId: 'user-1' });
});

test('a revoked token is refused where revocation is checked, and the pool is asked once a token', async () => {
  let asked = 0;
  const revoked = new Set<string>();
  const isRevoked = async (token: string): Promise<boolean> => {
    asked += 1;
    return revoked.has(token);
  };
  const checking = createTokenVerifier(settings(), checkRevocation({ isRevoked }));
  const [good, bad] = [issuer.sign(issuer.claims()), issuer.sign(issuer.claims({ jti: 'bad' }))];
  revoked.add(bad);
  await checking.verify(good);
  await checking.verify(good);
  expect(asked).toBe(1);
  await expect(checking.verify(bad)).rejects.toMatchObject({ code: 'unauthenticated' });
  expect(checking.known(good)).toBeUndefined();
});

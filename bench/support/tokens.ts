import { createSign } from 'node:crypto';

const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');

/** An access token as Cognito makes one. `seconds`: how long it is valid. */
export function signToken(
  privateKeyPem: string,
  claims: { issuer: string; clientId: string; sub: string },
  seconds = 3600,
): string {
  const now = Math.floor(Date.now() / 1000);
  const payload = {
    sub: claims.sub,
    iss: claims.issuer,
    client_id: claims.clientId,
    token_use: 'access',
    scope: 'aws.cognito.signin.user.admin',
    auth_time: now,
    iat: now,
    exp: now + seconds,
    jti: `${claims.sub}-${now}`,
    username: claims.sub,
  };
  const head = `${encode({ alg: 'RS256', kid: 'bench', typ: 'JWT' })}.${encode(payload)}`;
  return `${head}.${createSign('RSA-SHA256').update(head).sign(privateKeyPem, 'base64url')}`;
}

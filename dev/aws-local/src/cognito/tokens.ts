import { createCipheriv, createDecipheriv, randomBytes, randomUUID } from 'node:crypto';
import { AwsError } from '../service.ts';
import type { SigningKeys } from './signing-keys.ts';
import type { User, UserPool } from './user-pool.ts';

const accessTokenSeconds = 60 * 60;
const refreshTokenSeconds = 30 * 24 * 60 * 60;

/** What makes tokens of one pool and client. */
export interface TokenContext {
  readonly keys: SigningKeys;
  readonly pool: UserPool;
  readonly issuer: string;
  readonly clientId: string;
}

/** One sign-in; its tokens, and those refreshed from it, are revoked together. */
interface SignIn {
  readonly sub: string;
  readonly originJti: string;
  /** Epoch milliseconds. */
  readonly signedInAt: number;
}

export interface AuthenticationResult {
  readonly AccessToken: string;
  readonly IdToken: string;
  readonly RefreshToken?: string;
  readonly ExpiresIn: number;
  readonly TokenType: 'Bearer';
}

/** Tokens of a new sign-in. */
export function signIn(context: TokenContext, user: User): AuthenticationResult {
  const session = { sub: user.sub, originJti: `${Date.now().toString(36)}-${randomUUID()}`, signedInAt: Date.now() };
  return { ...issue(context, user, session), RefreshToken: seal(context.keys.sealingKey, session) };
}

/** New tokens of an earlier sign-in. Throws NotAuthorizedException. */
export function refresh(context: TokenContext, refreshToken: string): AuthenticationResult {
  const { session, user } = openRefreshToken(context, refreshToken);
  return issue(context, user, session);
}

/** Revokes the sign-in that a refresh token belongs to; an expired or unknown one is no error, as in Cognito. */
export async function revoke(context: TokenContext, refreshToken: string): Promise<void> {
  const session = unseal(context.keys.sealingKey, refreshToken);
  if (!session) throw new AwsError('UnsupportedTokenTypeException', 'Invalid token type.');
  await context.pool.revoke(session.originJti, session.signedInAt + refreshTokenSeconds * 1000);
}

/** The user of an access token. Throws NotAuthorizedException when it is invalid, expired or revoked. */
export function userOfAccessToken(context: TokenContext, accessToken: unknown): User {
  if (typeof accessToken !== 'string') throw notAuthorized('Missing access token');
  const claims = context.keys.readToken(accessToken);
  if (claims?.['token_use'] !== 'access' || claims['iss'] !== context.issuer)
    throw notAuthorized('Invalid Access Token');
  if (Number(claims['exp']) * 1000 <= Date.now()) throw notAuthorized('Access Token has expired');
  const originJti = String(claims['origin_jti']);
  const user = context.pool.get(String(claims['sub']));
  if (!user.enabled) throw notAuthorized('User is disabled.');
  if (isOver(context.pool, user, originJti)) throw notAuthorized('Access Token has been revoked');
  return user;
}

function openRefreshToken(context: TokenContext, token: string): { session: SignIn; user: User } {
  const session = unseal(context.keys.sealingKey, token);
  const user = session && context.pool.find(session.sub);
  if (!session || !user) throw notAuthorized('Invalid Refresh Token');
  if (session.signedInAt + refreshTokenSeconds * 1000 <= Date.now()) throw notAuthorized('Refresh Token has expired');
  if (!user.enabled) throw notAuthorized('User is disabled.');
  if (isOver(context.pool, user, session.originJti)) throw notAuthorized('Refresh Token has been revoked');
  return { session, user };
}

/** The sign-in's time, to the millisecond, is the first part of its id. */
function isOver(pool: UserPool, user: User, originJti: string): boolean {
  const signedInAt = Number.parseInt(originJti.split('-')[0] ?? '', 36);
  return pool.isRevoked(originJti) || signedInAt <= user.signedOutAt;
}

function issue({ keys, issuer, clientId }: TokenContext, user: User, session: SignIn): AuthenticationResult {
  const now = Math.floor(Date.now() / 1000);
  const common = {
    sub: user.sub,
    ...(user.groups.length === 0 ? {} : { 'cognito:groups': user.groups }),
    iss: issuer,
    origin_jti: session.originJti,
    event_id: randomUUID(),
    auth_time: Math.floor(session.signedInAt / 1000),
    exp: now + accessTokenSeconds,
    iat: now,
  };
  return {
    AccessToken: keys.signToken({
      ...common,
      client_id: clientId,
      token_use: 'access',
      scope: 'aws.cognito.signin.user.admin',
      jti: randomUUID(),
      username: user.sub,
    }),
    IdToken: keys.signToken({
      ...common,
      aud: clientId,
      token_use: 'id',
      jti: randomUUID(),
      email: user.email,
      email_verified: true,
      'cognito:username': user.sub,
      ...user.attributes,
    }),
    ExpiresIn: accessTokenSeconds,
    TokenType: 'Bearer',
  };
}

function seal(key: Buffer, session: SignIn): string {
  const iv = randomBytes(12);
  const cipher = createCipheriv('aes-256-gcm', key, iv);
  const sealed = Buffer.concat([cipher.update(JSON.stringify(session), 'utf8'), cipher.final()]);
  return Buffer.concat([iv, cipher.getAuthTag(), sealed]).toString('base64url');
}

function unseal(key: Buffer, token: string): SignIn | undefined {
  const bytes = Buffer.from(token, 'base64url');
  if (bytes.length < 28) return undefined;
  const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, 12)).setAuthTag(bytes.subarray(12, 28));
  try {
    const session: SignIn = JSON.parse(
      Buffer.concat([decipher.update(bytes.subarray(28)), decipher.final()]).toString('utf8'),
    );
    return session;
  } catch {
    return undefined; // not sealed by this key, so not a token of this pool
  }
}

function notAuthorized(message: string): AwsError {
  return new AwsError('NotAuthorizedException', message);
}

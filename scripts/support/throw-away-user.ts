import { randomBytes } from 'node:crypto';
import type { ClientConfig } from '@manuel/contracts';
import { Client, localPassword, signIn } from './client.ts';

export interface ThrowAwayUser {
  readonly client: Client;
  readonly userId: string;
  /** Takes the user out of the pool. */
  remove(): Promise<void>;
}

const opsUser = 'ops@example.com';

async function cognito(config: ClientConfig, operation: string, input: unknown): Promise<void> {
  const endpoint = config.cognito_endpoint ?? `https://cognito-idp.${config.region}.amazonaws.com`;
  const response = await fetch(endpoint, {
    method: 'POST',
    headers: {
      'content-type': 'application/x-amz-json-1.1',
      'x-amz-target': `AWSCognitoIdentityProviderService.${operation}`,
    },
    body: JSON.stringify(input),
    signal: AbortSignal.timeout(10_000),
  });
  if (!response.ok) throw new Error(`Cognito refused ${operation}: ${response.status} ${await response.text()}`);
}

/** The tenant that a token names. The gateway verifies the token; here it is only read. */
function subjectOf(token: string): string {
  const claims = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString('utf8')) as { sub: string };
  return claims.sub;
}

/** Signs up a user of the running stack and lets the local operator give it a quota of its own. */
export async function createThrowAwayUser(url: string, quota: number): Promise<ThrowAwayUser> {
  const response = await fetch(`${url}/config.json`, { signal: AbortSignal.timeout(5000) }).catch((cause: unknown) => {
    throw new Error(`Nobody answers at ${url}. Start Manuel with: npm start`, { cause });
  });
  const config = (await response.json()) as ClientConfig;
  const email = `eval-${randomBytes(6).toString('hex')}@example.com`;
  await cognito(config, 'SignUp', {
    ClientId: config.client_id,
    Username: email,
    Password: localPassword,
    UserAttributes: [{ Name: 'email', Value: email }],
  });
  const token = await signIn(config, email, localPassword);
  const userId = subjectOf(token);
  const ops = Client.withToken(url, await signIn(config, opsUser, localPassword));
  const limits = { daily_limit: quota, monthly_limit: quota };
  const changed = await ops.fetch(`/api/ops/users/${userId}/quota`, { method: 'PUT', json: limits });
  // Where nobody may change it the stack's own quota holds, which may do.
  if (!changed.ok) process.stderr.write(`the user’s quota stays as it is: ${changed.status} ${await changed.text()}\n`);
  return {
    client: Client.withToken(url, token),
    userId,
    remove: () => cognito(config, 'DeleteUser', { AccessToken: token }),
  };
}

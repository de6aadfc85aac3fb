import {
  CognitoIdentityProviderClient,
  CognitoIdentityProviderServiceException,
  GetUserCommand,
  InitiateAuthCommand,
} from '@aws-sdk/client-cognito-identity-provider';
import { ManuelError } from '@manuel/contracts';
import type { Settings } from '@manuel/settings';
import { clientOptions } from './client-options.ts';

export interface SignedIn {
  readonly accessToken: string;
  /** Seconds. */
  readonly expiresInS: number;
}

/** The Cognito user pool, as far as a server asks it. Throws `unavailable` when it cannot answer in time. */
export interface UserPool {
  /** Undefined: wrong name or password, or a user who must first do something that only the pool's own pages offer. */
  signIn(username: string, password: string): Promise<SignedIn | undefined>;
  /** Whether an access token was revoked, or its user signed out everywhere, was disabled or deleted. */
  isRevoked(accessToken: string): Promise<boolean>;
  close(): void;
}

const timeLimitMs = 4000;

/** Answers of Cognito that mean "no", not "not now". */
const refusals = new Set([
  'NotAuthorizedException',
  'UserNotFoundException',
  'UserNotConfirmedException',
  'PasswordResetRequiredException',
]);

/** Sign-in is a person waiting: one try, a short time limit, no queue. */
export function createUserPool(settings: Pick<Settings, 'region' | 'pool' | 'cognito'>): UserPool {
  const client = new CognitoIdentityProviderClient(clientOptions(settings));

  async function ask<T>(call: (options: { abortSignal: AbortSignal }) => Promise<T>): Promise<T | 'refused'> {
    try {
      return await call({ abortSignal: AbortSignal.timeout(timeLimitMs) });
    } catch (cause) {
      if (cause instanceof CognitoIdentityProviderServiceException && refusals.has(cause.name)) return 'refused';
      throw new ManuelError('unavailable', 'The sign-in service cannot be reached at the moment. Try again soon.', {
        cause,
      });
    }
  }

  return {
    async signIn(username, password) {
      const answer = await ask((options) =>
        client.send(
          new InitiateAuthCommand({
            ClientId: settings.cognito.client_id,
            AuthFlow: 'USER_PASSWORD_AUTH',
            AuthParameters: { USERNAME: username, PASSWORD: password },
          }),
          options,
        ),
      );
      if (answer === 'refused') return undefined;
      const { AccessToken, ExpiresIn } = answer.AuthenticationResult ?? {};
      return AccessToken === undefined ? undefined : { accessToken: AccessToken, expiresInS: ExpiresIn ?? 3600 };
    },
    async isRevoked(accessToken) {
      const answer = await ask((options) => client.send(new GetUserCommand({ AccessToken: accessToken }), options));
      return answer === 'refused';
    },
    close: () => client.destroy(),
  };
}

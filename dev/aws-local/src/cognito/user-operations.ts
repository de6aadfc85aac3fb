import { AwsError } from '../service.ts';
import { text, textMap, attributeMap } from './input.ts';
import type { Input } from './input.ts';
import { checkPasswordPolicy, hashPassword, passwordMatches } from './passwords.ts';
import { refresh, revoke, signIn, userOfAccessToken } from './tokens.ts';
import type { TokenContext } from './tokens.ts';
import { userAttributes } from './user-shapes.ts';
import type { User } from './user-pool.ts';

export type Operation = (context: TokenContext, input: Input) => object | Promise<object>;

/** What a user may call without AWS credentials. */
export const userOperations: Readonly<Record<string, Operation>> = {
  InitiateAuth: (context, input) => initiateAuth(context, input, ['USER_PASSWORD_AUTH']),
  RespondToAuthChallenge: respondToAuthChallenge,
  SignUp: signUp,
  async ConfirmSignUp(context, input) {
    checkClient(context, input);
    context.pool.get(text(input, 'Username'));
    throw new AwsError('NotAuthorizedException', 'User cannot be confirmed. Current status is CONFIRMED');
  },
  GetUser(context, input) {
    const user = userOfAccessToken(context, input['AccessToken']);
    return { Username: user.sub, UserAttributes: userAttributes(user) };
  },
  async DeleteUser(context, input) {
    await context.pool.remove(userOfAccessToken(context, input['AccessToken']));
    return {};
  },
  async ChangePassword(context, input) {
    const user = userOfAccessToken(context, input['AccessToken']);
    const proposed = text(input, 'ProposedPassword');
    checkPasswordPolicy(proposed);
    if (!(await passwordMatches(text(input, 'PreviousPassword'), user.password))) throw wrongPassword();
    await context.pool.update(user, { password: await hashPassword(proposed) });
    return {};
  },
  async GlobalSignOut(context, input) {
    await context.pool.update(userOfAccessToken(context, input['AccessToken']), { signedOutAt: Date.now() });
    return {};
  },
  async RevokeToken(context, input) {
    checkClient(context, input);
    await revoke(context, text(input, 'Token'));
    return {};
  },
};

/** Sign-in by password or refresh token. `passwordFlows` are the names under which the caller may send a password. */
export async function initiateAuth(
  context: TokenContext,
  input: Input,
  passwordFlows: readonly string[],
): Promise<object> {
  checkClient(context, input);
  const flow = text(input, 'AuthFlow');
  const parameters = textMap(input, 'AuthParameters');
  if (flow === 'REFRESH_TOKEN_AUTH' || flow === 'REFRESH_TOKEN') {
    return { AuthenticationResult: refresh(context, text(parameters, 'REFRESH_TOKEN')), ChallengeParameters: {} };
  }
  if (!passwordFlows.includes(flow))
    throw new AwsError('InvalidParameterException', `${flow} is not enabled for the client.`);
  const user = await authenticate(context, text(parameters, 'USERNAME'), text(parameters, 'PASSWORD'));
  if (user.status === 'FORCE_CHANGE_PASSWORD') {
    return {
      ChallengeName: 'NEW_PASSWORD_REQUIRED',
      Session: context.keys.signToken({
        token_use: 'session',
        sub: user.sub,
        exp: Math.floor(Date.now() / 1000) + 180,
      }),
      ChallengeParameters: {
        USER_ID_FOR_SRP: user.sub,
        requiredAttributes: '[]',
        userAttributes: JSON.stringify({ email: user.email }),
      },
    };
  }
  return { AuthenticationResult: signIn(context, user), ChallengeParameters: {} };
}

/** Only NEW_PASSWORD_REQUIRED is ever asked. */
export async function respondToAuthChallenge(context: TokenContext, input: Input): Promise<object> {
  checkClient(context, input);
  if (text(input, 'ChallengeName') !== 'NEW_PASSWORD_REQUIRED') {
    throw new AwsError('InvalidParameterException', 'aws-local asks only the NEW_PASSWORD_REQUIRED challenge.');
  }
  const claims = context.keys.readToken(text(input, 'Session'));
  if (claims?.['token_use'] !== 'session')
    throw new AwsError('NotAuthorizedException', 'Invalid session for the user.');
  if (Number(claims['exp']) * 1000 <= Date.now())
    throw new AwsError('NotAuthorizedException', 'Invalid session for the user, session is expired.');
  const password = text(textMap(input, 'ChallengeResponses'), 'NEW_PASSWORD');
  checkPasswordPolicy(password);
  const user = context.pool.get(String(claims['sub']));
  const updated = await context.pool.update(user, { password: await hashPassword(password), status: 'CONFIRMED' });
  return { AuthenticationResult: signIn(context, updated), ChallengeParameters: {} };
}

/** Throws ResourceNotFoundException for any client but the pool's own. */
export function checkClient(context: TokenContext, input: Input): void {
  const clientId = text(input, 'ClientId');
  if (clientId !== context.clientId)
    throw new AwsError('ResourceNotFoundException', `User pool client ${clientId} does not exist.`);
}

/** New users are confirmed at once: there is nobody to send a code. */
async function signUp(context: TokenContext, input: Input): Promise<object> {
  checkClient(context, input);
  const password = text(input, 'Password');
  checkPasswordPolicy(password);
  const { sub: _sub, email: _email, email_verified: _verified, ...attributes } = attributeMap(input, 'UserAttributes');
  const user = await context.pool.add(text(input, 'Username'), password, 'CONFIRMED', attributes);
  return { UserConfirmed: true, UserSub: user.sub };
}

async function authenticate(context: TokenContext, username: string, password: string): Promise<User> {
  const user = context.pool.find(username);
  if (!user || !(await passwordMatches(password, user.password))) throw wrongPassword();
  if (!user.enabled) throw new AwsError('NotAuthorizedException', 'User is disabled.');
  return user;
}

function wrongPassword(): AwsError {
  return new AwsError('NotAuthorizedException', 'Incorrect username or password.');
}

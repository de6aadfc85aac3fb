import { afterAll, beforeAll, expect, test } from '@jest/globals';
import {
  AdminAddUserToGroupCommand,
  AdminCreateUserCommand,
  AdminDeleteUserCommand,
  AdminDisableUserCommand,
  AdminGetUserCommand,
  AdminInitiateAuthCommand,
  AdminListGroupsForUserCommand,
  AdminRemoveUserFromGroupCommand,
  AdminSetUserPasswordCommand,
  AdminUserGlobalSignOutCommand,
  ChangePasswordCommand,
  CognitoIdentityProviderClient,
  GetUserCommand,
  GlobalSignOutCommand,
  InitiateAuthCommand,
  ListUsersCommand,
  RespondToAuthChallengeCommand,
  RevokeTokenCommand,
  SignUpCommand,
} from '@aws-sdk/client-cognito-identity-provider';
import { JwtRsaVerifier } from 'aws-jwt-verify';
import { refusal, startTestAws } from '../testing/local-aws.ts';
import type { TestAws } from '../testing/local-aws.ts';

const Password = 'Correct-horse-1';
let aws: TestAws;
let cognito: CognitoIdentityProviderClient;
let ClientId: string;
let UserPoolId: string;
beforeAll(async () => {
  aws = await startTestAws();
  cognito = new CognitoIdentityProviderClient(aws.client);
  ClientId = aws.config['client_id'] ?? '';
  UserPoolId = aws.config['user_pool_id'] ?? '';
});
afterAll(async () => {
  cognito.destroy();
  await aws.close();
});

async function signIn(username: string, password: string) {
  const { AuthenticationResult } = await cognito.send(
    new InitiateAuthCommand({
      AuthFlow: 'USER_PASSWORD_AUTH',
      ClientId,
      AuthParameters: { USERNAME: username, PASSWORD: password },
    }),
  );
  const { AccessToken = '', RefreshToken = '', IdToken = '', ExpiresIn } = AuthenticationResult ?? {};
  return { AccessToken, RefreshToken, IdToken, ExpiresIn };
}
const refresh = (token: string) =>
  cognito.send(
    new InitiateAuthCommand({ AuthFlow: 'REFRESH_TOKEN_AUTH', ClientId, AuthParameters: { REFRESH_TOKEN: token } }),
  );
/** Verifies by the keys that the pool publishes; the verifier itself fetches over https only. */
async function verify(token: string) {
  const { issuer = '', jwks_uri: jwksUri = '' } = aws.config;
  const verifier = JwtRsaVerifier.create({ issuer, audience: null, jwksUri });
  const jwks: Parameters<typeof verifier.cacheJwks>[0] = JSON.parse(await (await fetch(jwksUri)).text());
  verifier.cacheJwks(jwks);
  return verifier.verify(token);
}
let users = 0;
async function newUser(): Promise<{ email: string; sub: string }> {
  const email = `user-${++users}@example.com`;
  const { UserSub = '', UserConfirmed } = await cognito.send(
    new SignUpCommand({ ClientId, Username: email, Password }),
  );
  expect(UserConfirmed).toBe(true);
  return { email, sub: UserSub };
}

test('local users sign in; tokens are verified by the published keys and name their groups', async () => {
  for (const [email, groups] of [
    ['demo@example.com', undefined],
    ['other@example.com', undefined],
    ['ops@example.com', ['ops']],
    ['viewer@example.com', ['ops-viewer']],
  ] as const) {
    const { AccessToken, IdToken, ExpiresIn } = await signIn(email, 'Manuel-demo-1');
    const claims = await verify(AccessToken);
    expect(claims).toMatchObject({ token_use: 'access', client_id: ClientId, iss: `${aws.endpoint}/${UserPoolId}` });
    expect(claims['cognito:groups']).toEqual(groups);
    expect([ExpiresIn, Number(claims.exp) - Number(claims.iat)]).toEqual([3600, 3600]);
    expect(await verify(IdToken)).toMatchObject({ token_use: 'id', aud: ClientId, email, sub: claims.sub });
  }
});

test('sign-in needs no AWS credentials, administration does', async () => {
  const call = (operation: string, body: object) =>
    fetch(aws.endpoint, {
      method: 'POST',
      headers: {
        'content-type': 'application/x-amz-json-1.1',
        'x-amz-target': `AWSCognitoIdentityProviderService.${operation}`,
      },
      body: JSON.stringify(body),
    });
  const parameters = { USERNAME: 'demo@example.com', PASSWORD: 'Manuel-demo-1' };
  const open = await call('InitiateAuth', { AuthFlow: 'USER_PASSWORD_AUTH', ClientId, AuthParameters: parameters });
  expect(await open.json()).toMatchObject({ AuthenticationResult: { TokenType: 'Bearer' } });
  const closed = await call('AdminGetUser', { UserPoolId, Username: 'demo@example.com' });
  expect([closed.status, await closed.json()]).toEqual([
    400,
    { __type: 'MissingAuthenticationTokenException', message: 'Missing Authentication Token' },
  ]);
});

test('wrong credentials are refused alike whether the user exists or not', async () => {
  const wrong = { name: 'NotAuthorizedException', status: 400, message: 'Incorrect username or password.' };
  expect(await refusal(signIn('demo@example.com', 'Wrong-password-1'))).toEqual(wrong);
  expect(await refusal(signIn('nobody@example.com', 'Wrong-password-1'))).toEqual(wrong);
  const send = (change: object) =>
    cognito.send(
      new InitiateAuthCommand({
        AuthFlow: 'USER_PASSWORD_AUTH',
        ClientId,
        AuthParameters: { USERNAME: 'demo@example.com', PASSWORD: 'x' },
        ...change,
      }),
    );
  expect(await refusal(send({ ClientId: 'other' }))).toMatchObject({ name: 'ResourceNotFoundException' });
  expect(await refusal(send({ AuthFlow: 'USER_SRP_AUTH' }))).toMatchObject({ name: 'InvalidParameterException' });
  expect(await refusal(send({ AuthParameters: { USERNAME: 'x' } }))).toMatchObject({
    name: 'InvalidParameterException',
  });
});

test('sign-up checks name and password; the user can change it, and leave', async () => {
  const signUp = (Username: string, password: string) =>
    cognito.send(new SignUpCommand({ ClientId, Username, Password: password }));
  expect(await refusal(signUp('not an address', Password))).toMatchObject({ name: 'InvalidParameterException' });
  for (const weak of ['Short-1', 'no-capitals-1', 'NO-SMALL-1', 'No-digits-here', 'NoSymbols1']) {
    expect(await refusal(signUp('weak@example.com', weak))).toMatchObject({ name: 'InvalidPasswordException' });
  }
  const { email, sub } = await newUser();
  expect(await refusal(signUp(email.toUpperCase(), Password))).toMatchObject({ name: 'UsernameExistsException' });
  const { AccessToken } = await signIn(email.toUpperCase(), Password);
  const { Username, UserAttributes } = await cognito.send(new GetUserCommand({ AccessToken }));
  expect(Username).toBe(sub);
  expect(UserAttributes).toContainEqual({ Name: 'email', Value: email });
  await cognito.send(
    new ChangePasswordCommand({ AccessToken, PreviousPassword: Password, ProposedPassword: 'Another-one-2' }),
  );
  expect(await refusal(signIn(email, Password))).toMatchObject({ name: 'NotAuthorizedException' });
  await signIn(email, 'Another-one-2');
});

test('a refreshed token belongs to the same sign-in and sees new groups', async () => {
  const { email, sub } = await newUser();
  const { RefreshToken } = await signIn(email, Password);
  await cognito.send(new AdminAddUserToGroupCommand({ UserPoolId, Username: email, GroupName: 'ops' }));
  const { AuthenticationResult } = await refresh(RefreshToken);
  expect(await verify(AuthenticationResult?.AccessToken ?? '')).toMatchObject({ sub, 'cognito:groups': ['ops'] });
  expect(AuthenticationResult?.RefreshToken).toBeUndefined();
  const { Groups } = await cognito.send(new AdminListGroupsForUserCommand({ UserPoolId, Username: sub }));
  expect(Groups?.map(({ GroupName }) => GroupName)).toEqual(['ops']);
  await cognito.send(new AdminRemoveUserFromGroupCommand({ UserPoolId, Username: email, GroupName: 'ops' }));
  expect(await refusal(refresh('made up'))).toMatchObject({
    name: 'NotAuthorizedException',
    message: 'Invalid Refresh Token',
  });
  const unknownGroup = new AdminAddUserToGroupCommand({ UserPoolId, Username: email, GroupName: 'none' });
  expect(await refusal(cognito.send(unknownGroup))).toMatchObject({ name: 'ResourceNotFoundException' });
});

test('revoking ends one sign-in, signing out ends all, and a later one counts again', async () => {
  const { email } = await newUser();
  const [one, two] = [await signIn(email, Password), await signIn(email, Password)];
  await cognito.send(new RevokeTokenCommand({ ClientId, Token: one.RefreshToken }));
  expect(await refusal(refresh(one.RefreshToken))).toMatchObject({
    name: 'NotAuthorizedException',
    message: 'Refresh Token has been revoked',
  });
  expect(await refusal(cognito.send(new GetUserCommand({ AccessToken: one.AccessToken })))).toMatchObject({
    name: 'NotAuthorizedException',
  });
  await refresh(two.RefreshToken);
  await cognito.send(new GlobalSignOutCommand({ AccessToken: two.AccessToken }));
  expect(await refusal(refresh(two.RefreshToken))).toMatchObject({ name: 'NotAuthorizedException' });
  const three = await signIn(email, Password);
  await cognito.send(new GetUserCommand({ AccessToken: three.AccessToken }));
  await cognito.send(new AdminUserGlobalSignOutCommand({ UserPoolId, Username: email }));
  expect(await refusal(refresh(three.RefreshToken))).toMatchObject({ name: 'NotAuthorizedException' });
});

test('a user that an administrator makes chooses a password at the first sign-in', async () => {
  const email = 'made@example.com';
  const { User } = await cognito.send(
    new AdminCreateUserCommand({
      UserPoolId,
      Username: email,
      TemporaryPassword: 'Temporary-1',
      MessageAction: 'SUPPRESS',
    }),
  );
  expect(User).toMatchObject({ UserStatus: 'FORCE_CHANGE_PASSWORD', Enabled: true });
  expect(User?.UserCreateDate?.getTime()).toBeGreaterThan(Date.now() - 60_000);
  const { ChallengeName, Session, AuthenticationResult } = await cognito.send(
    new InitiateAuthCommand({
      AuthFlow: 'USER_PASSWORD_AUTH',
      ClientId,
      AuthParameters: { USERNAME: email, PASSWORD: 'Temporary-1' },
    }),
  );
  expect([ChallengeName, AuthenticationResult]).toEqual(['NEW_PASSWORD_REQUIRED', undefined]);
  const answered = await cognito.send(
    new RespondToAuthChallengeCommand({
      ClientId,
      ChallengeName: 'NEW_PASSWORD_REQUIRED',
      Session,
      ChallengeResponses: { USERNAME: email, NEW_PASSWORD: Password },
    }),
  );
  expect(answered.AuthenticationResult?.AccessToken).toBeDefined();
  expect(await cognito.send(new AdminGetUserCommand({ UserPoolId, Username: email }))).toMatchObject({
    UserStatus: 'CONFIRMED',
  });
});

test('an administrator sets passwords, disables and deletes users', async () => {
  const { email, sub } = await newUser();
  await cognito.send(
    new AdminSetUserPasswordCommand({ UserPoolId, Username: email, Password: 'Set-by-admin-1', Permanent: true }),
  );
  const { RefreshToken } = await signIn(email, 'Set-by-admin-1');
  const admin = await cognito.send(
    new AdminInitiateAuthCommand({
      UserPoolId,
      ClientId,
      AuthFlow: 'ADMIN_USER_PASSWORD_AUTH',
      AuthParameters: { USERNAME: email, PASSWORD: 'Set-by-admin-1' },
    }),
  );
  expect(admin.AuthenticationResult?.AccessToken).toBeDefined();
  const { Users } = await cognito.send(new ListUsersCommand({ UserPoolId, Filter: `email = "${email}"` }));
  expect(Users?.map(({ Username }) => Username)).toEqual([sub]);
  await cognito.send(new AdminDisableUserCommand({ UserPoolId, Username: email }));
  expect(await refusal(signIn(email, 'Set-by-admin-1'))).toMatchObject({ message: 'User is disabled.' });
  expect(await refusal(refresh(RefreshToken))).toMatchObject({ message: 'User is disabled.' });
  await cognito.send(new AdminDeleteUserCommand({ UserPoolId, Username: email }));
  expect(await refusal(cognito.send(new AdminGetUserCommand({ UserPoolId, Username: email })))).toMatchObject({
    name: 'UserNotFoundException',
  });
  expect(await refusal(cognito.send(new ListUsersCommand({ UserPoolId: 'eu-west-1_other' })))).toMatchObject({
    name: 'ResourceNotFoundException',
  });
});

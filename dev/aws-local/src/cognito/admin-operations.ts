import { randomBytes } from 'node:crypto';
import { AwsError } from '../service.ts';
import { attributeMap, text } from './input.ts';
import type { Input } from './input.ts';
import { checkPasswordPolicy, hashPassword } from './passwords.ts';
import type { TokenContext } from './tokens.ts';
import { checkClient, initiateAuth, respondToAuthChallenge } from './user-operations.ts';
import type { Operation } from './user-operations.ts';
import { describeUser, describeUserForAdmin } from './user-shapes.ts';
import type { User } from './user-pool.ts';

const maxPage = 60;

/** What needs AWS credentials. Every input names the user pool, which is checked before these run. */
export const adminOperations: Readonly<Record<string, Operation>> = {
  AdminInitiateAuth: (context, input) =>
    initiateAuth(context, input, ['ADMIN_USER_PASSWORD_AUTH', 'ADMIN_NO_SRP_AUTH']),
  AdminRespondToAuthChallenge: respondToAuthChallenge,
  AdminCreateUser: createUser,
  async AdminSetUserPassword(context, input) {
    const password = text(input, 'Password');
    checkPasswordPolicy(password);
    const status = input['Permanent'] === true ? 'CONFIRMED' : 'FORCE_CHANGE_PASSWORD';
    return change(context, input, { password: await hashPassword(password), status });
  },
  AdminGetUser: (context, input) => describeUserForAdmin(userOf(context, input)),
  async AdminDeleteUser(context, input) {
    await context.pool.remove(userOf(context, input));
    return {};
  },
  AdminDisableUser: (context, input) => change(context, input, { enabled: false }),
  AdminEnableUser: (context, input) => change(context, input, { enabled: true }),
  AdminConfirmSignUp: (context, input) => change(context, input, { status: 'CONFIRMED' }),
  AdminUserGlobalSignOut: (context, input) => change(context, input, { signedOutAt: Date.now() }),
  AdminUpdateUserAttributes(context, input) {
    const { sub: _sub, email_verified: _verified, email, ...attributes } = attributeMap(input, 'UserAttributes');
    const user = userOf(context, input);
    return change(context, input, {
      ...(email === undefined ? {} : { email }),
      attributes: { ...user.attributes, ...attributes },
    });
  },
  async AdminAddUserToGroup(context, input) {
    await context.pool.setMembership(userOf(context, input), text(input, 'GroupName'), true);
    return {};
  },
  async AdminRemoveUserFromGroup(context, input) {
    await context.pool.setMembership(userOf(context, input), text(input, 'GroupName'), false);
    return {};
  },
  AdminListGroupsForUser: (context, input) => ({
    Groups: userOf(context, input).groups.map((name) => describeGroup(input, name)),
  }),
  async CreateGroup(context, input) {
    const name = text(input, 'GroupName');
    await context.pool.addGroup(name);
    return { Group: describeGroup(input, name) };
  },
  ListGroups: (context, input) => ({ Groups: context.pool.groups().map((name) => describeGroup(input, name)) }),
  ListUsers: listUsers,
  DescribeUserPool: (context, input) => ({
    UserPool: {
      Id: input['UserPoolId'],
      Name: 'manuel',
      UsernameAttributes: ['email'],
      EstimatedNumberOfUsers: context.pool.users().length,
      MfaConfiguration: 'OFF',
    },
  }),
  DescribeUserPoolClient(context, input) {
    checkClient(context, input);
    return {
      UserPoolClient: {
        UserPoolId: input['UserPoolId'],
        ClientId: context.clientId,
        ClientName: 'manuel',
        ExplicitAuthFlows: ['ALLOW_USER_PASSWORD_AUTH', 'ALLOW_ADMIN_USER_PASSWORD_AUTH', 'ALLOW_REFRESH_TOKEN_AUTH'],
        EnableTokenRevocation: true,
      },
    };
  },
  ListUserPoolClients: (context, input) => ({
    UserPoolClients: [{ UserPoolId: input['UserPoolId'], ClientId: context.clientId, ClientName: 'manuel' }],
  }),
};

async function createUser(context: TokenContext, input: Input): Promise<object> {
  const { sub: _sub, email: _email, email_verified: _verified, ...attributes } = attributeMap(input, 'UserAttributes');
  const given = input['TemporaryPassword'];
  const password = typeof given === 'string' ? given : `Aa1-${randomBytes(16).toString('base64url')}`;
  checkPasswordPolicy(password);
  const user = await context.pool.add(text(input, 'Username'), password, 'FORCE_CHANGE_PASSWORD', attributes);
  return { User: describeUser(user) };
}

/** `Filter` is Cognito's `attribute = "value"` or `attribute ^= "value"`. */
function listUsers(context: TokenContext, input: Input): object {
  const { Filter: filter = '', Limit: limit = maxPage, PaginationToken: token = '0' } = input;
  if (typeof limit !== 'number' || !Number.isInteger(limit) || limit < 0 || limit > maxPage) {
    throw new AwsError('InvalidParameterException', `Limit must be from 0 to ${maxPage}`);
  }
  const start = Number(token);
  if (!Number.isInteger(start) || start < 0)
    throw new AwsError('InvalidParameterException', 'Invalid pagination token');
  const match = /^\s*"?([\w:]+)"?\s*(\^?=)\s*"([^"]*)"\s*$/.exec(String(filter));
  if (filter !== '' && !match) throw new AwsError('InvalidParameterException', `Invalid filter: ${String(filter)}`);
  const [, attribute = '', comparison = '', value = ''] = match ?? [];
  const found = context.pool.users().filter((user) => {
    if (!match) return true;
    const all: Readonly<Record<string, string>> = {
      ...user.attributes,
      sub: user.sub,
      username: user.sub,
      email: user.email,
    };
    const actual = all[attribute] ?? '';
    return comparison === '=' ? actual === value : actual.startsWith(value);
  });
  const end = start + (limit === 0 ? maxPage : limit);
  return {
    Users: found.slice(start, end).map(describeUser),
    ...(end < found.length ? { PaginationToken: String(end) } : {}),
  };
}

async function change(context: TokenContext, input: Input, update: Partial<Omit<User, 'sub'>>): Promise<object> {
  await context.pool.update(userOf(context, input), update);
  return {};
}

function userOf(context: TokenContext, input: Input): User {
  return context.pool.get(text(input, 'Username'));
}

function describeGroup(input: Input, name: string): object {
  return { GroupName: name, UserPoolId: input['UserPoolId'] };
}

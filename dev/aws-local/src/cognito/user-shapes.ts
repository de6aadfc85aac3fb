import type { User } from './user-pool.ts';

export interface Attribute {
  readonly Name: string;
  readonly Value: string;
}

export function userAttributes(user: User): Attribute[] {
  const all = { sub: user.sub, email: user.email, email_verified: 'true', ...user.attributes };
  return Object.entries(all).map(([Name, Value]) => ({ Name, Value }));
}

/** Cognito's UserType; times are epoch seconds. */
export function describeUser(user: User): object {
  return { Attributes: userAttributes(user), ...describeState(user) };
}

/** The answer of AdminGetUser, which names the attributes differently. */
export function describeUserForAdmin(user: User): object {
  return { UserAttributes: userAttributes(user), ...describeState(user) };
}

function describeState(user: User): object {
  return {
    Username: user.sub,
    Enabled: user.enabled,
    UserStatus: user.status,
    UserCreateDate: user.createdAt / 1000,
    UserLastModifiedDate: user.updatedAt / 1000,
  };
}

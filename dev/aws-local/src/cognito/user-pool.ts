import { randomUUID } from 'node:crypto';
import { JsonFile } from '../json-file.ts';
import { AwsError } from '../service.ts';
import { hashPassword } from './passwords.ts';

export type UserStatus = 'CONFIRMED' | 'FORCE_CHANGE_PASSWORD';

export interface User {
  /** Also the user name: in a pool that signs in by e-mail address, Cognito makes the two the same. */
  readonly sub: string;
  readonly email: string;
  readonly password: string;
  readonly status: UserStatus;
  readonly enabled: boolean;
  readonly groups: readonly string[];
  /** Beyond sub, email and email_verified. */
  readonly attributes: Readonly<Record<string, string>>;
  /** Epoch milliseconds; sign-ins before it no longer count. */
  readonly signedOutAt: number;
  /** Epoch milliseconds. */
  readonly createdAt: number;
  readonly updatedAt: number;
}

interface State {
  readonly users: Record<string, User>;
  readonly groups: string[];
  /** `origin_jti` of revoked sign-ins, with the time (epoch ms) from which nobody needs to remember them. */
  readonly revoked: Record<string, number>;
}

/** The users of one pool, on disk. */
export class UserPool {
  readonly #file: JsonFile<State>;
  readonly #state: State;

  private constructor(file: JsonFile<State>, state: State) {
    this.#file = file;
    this.#state = state;
  }

  static async open(path: string): Promise<UserPool> {
    const file = new JsonFile<State>(path);
    const state = await file.read({ users: {}, groups: [], revoked: {} });
    for (const [id, until] of Object.entries(state.revoked)) if (until < Date.now()) delete state.revoked[id];
    return new UserPool(file, state);
  }

  /** By e-mail address in any case, or by sub. */
  find(username: string): User | undefined {
    const name = username.toLowerCase();
    return this.#state.users[name] ?? this.users().find((user) => user.email.toLowerCase() === name);
  }

  /** Throws UserNotFoundException. */
  get(username: string): User {
    const user = this.find(username);
    if (!user) throw new AwsError('UserNotFoundException', 'User does not exist.');
    return user;
  }

  /** Oldest first. */
  users(): User[] {
    return Object.values(this.#state.users);
  }

  /** Throws UsernameExistsException, InvalidParameterException. */
  async add(
    email: string,
    password: string,
    status: UserStatus,
    attributes: Record<string, string> = {},
  ): Promise<User> {
    if (!/^[^\s@]+@[^\s@]+\.[^\s@]+$/.test(email))
      throw new AwsError('InvalidParameterException', 'Username should be an email.');
    const hash = await hashPassword(password);
    if (this.find(email))
      throw new AwsError('UsernameExistsException', 'An account with the given email already exists.');
    const now = Date.now();
    const user: User = {
      sub: randomUUID(),
      email,
      password: hash,
      status,
      enabled: true,
      groups: [],
      attributes,
      signedOutAt: 0,
      createdAt: now,
      updatedAt: now,
    };
    this.#state.users[user.sub] = user;
    await this.#save();
    return user;
  }

  async update(user: User, change: Partial<Omit<User, 'sub'>>): Promise<User> {
    const updated = { ...this.get(user.sub), ...change, updatedAt: Date.now() };
    this.#state.users[user.sub] = updated;
    await this.#save();
    return updated;
  }

  async remove(user: User): Promise<void> {
    delete this.#state.users[user.sub];
    await this.#save();
  }

  groups(): readonly string[] {
    return this.#state.groups;
  }

  async addGroup(name: string): Promise<void> {
    if (this.#state.groups.includes(name))
      throw new AwsError('GroupExistsException', 'A group with the name already exists.');
    this.#state.groups.push(name);
    await this.#save();
  }

  /** Throws ResourceNotFoundException when there is no such group. */
  async setMembership(user: User, group: string, member: boolean): Promise<void> {
    if (!this.#state.groups.includes(group)) throw new AwsError('ResourceNotFoundException', 'Group not found.');
    const others = user.groups.filter((name) => name !== group);
    await this.update(user, { groups: member ? [...others, group] : others });
  }

  isRevoked(originJti: string): boolean {
    return Object.hasOwn(this.#state.revoked, originJti);
  }

  async revoke(originJti: string, forgetAt: number): Promise<void> {
    this.#state.revoked[originJti] = forgetAt;
    await this.#save();
  }

  async #save(): Promise<void> {
    await this.#file.write(this.#state);
  }
}

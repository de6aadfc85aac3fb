import { randomBytes, scrypt, timingSafeEqual } from 'node:crypto';
import { AwsError } from '../service.ts';

/** Light, so that a test run can sign in often; the accounts are local. */
const cost = { N: 4096, r: 8, p: 1 };
const minLength = 8;
const maxLength = 256;

/** `salt:hash`, both in hex. */
export async function hashPassword(password: string): Promise<string> {
  const salt = randomBytes(16);
  return `${salt.toString('hex')}:${(await derive(password, salt)).toString('hex')}`;
}

export async function passwordMatches(password: string, stored: string): Promise<boolean> {
  const [salt = '', hash = ''] = stored.split(':');
  const derived = await derive(password, Buffer.from(salt, 'hex'));
  return timingSafeEqual(derived, Buffer.from(hash, 'hex'));
}

/** Cognito's default policy. Throws InvalidPasswordException. */
export function checkPasswordPolicy(password: string): void {
  const fault =
    password.length < minLength || password.length > maxLength
      ? 'Password not long enough'
      : !/[A-Z]/.test(password)
        ? 'Password must have uppercase characters'
        : !/[a-z]/.test(password)
          ? 'Password must have lowercase characters'
          : !/[0-9]/.test(password)
            ? 'Password must have numeric characters'
            : !/[^A-Za-z0-9]/.test(password)
              ? 'Password must have symbol characters'
              : undefined;
  if (fault !== undefined)
    throw new AwsError('InvalidPasswordException', `Password did not conform with policy: ${fault}`);
}

function derive(password: string, salt: Buffer): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    scrypt(password, salt, 32, cost, (error, key) => (error ? reject(error) : resolve(key)));
  });
}

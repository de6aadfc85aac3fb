import { AwsError } from '../../service.ts';

/** A `nextToken` that says how many items came before. */
export function writeToken(offset: number): string {
  return Buffer.from(`offset:${offset}`).toString('base64url');
}

/** 0 without a token; ValidationException for one that this service never gave. */
export function readToken(token: unknown): number {
  if (token === undefined || token === null) return 0;
  const decoded = typeof token === 'string' ? Buffer.from(token, 'base64url').toString('utf8') : '';
  const offset = /^offset:(\d{1,9})$/.exec(decoded)?.[1];
  if (offset === undefined) throw new AwsError('ValidationException', 'The nextToken is invalid.');
  return Number(offset);
}

import { hash } from 'node:crypto';
import { userIdSchema } from '@manuel/contracts';

export const cacheTypes = ['answers', 'retrieval', 'transcripts', 'usage'] as const;
export type CacheType = (typeof cacheTypes)[number];

/** Where an entry lies: `<prefix>:cache:<type>:<user>:<version>:<digest>`. */
export interface CacheKey {
  readonly type: CacheType;
  readonly userId: string;
  /** The user's manuals version where the value depends on the manuals, else `-`. */
  readonly version: string;
  /** Hex SHA-256 over all that the value depends on. */
  readonly digest: string;
}

const checkedRemembered = 10_000;
const checkedIds = new Set<string>();

/**
 * A user's id holds no colon and no pattern character, so no two users' keys can be the same and a pattern of one never
 * matches another's. Throws when it is no user id.
 */
export function checkedUserId(userId: string): string {
  if (checkedIds.has(userId)) return userId;
  userIdSchema.parse(userId);
  if (checkedIds.size >= checkedRemembered) checkedIds.clear();
  checkedIds.add(userId);
  return userId;
}

export const userPrefix = (prefix: string, type: CacheType, userId: string): string =>
  `${prefix}:cache:${type}:${checkedUserId(userId)}:`;

export const redisKey = (prefix: string, key: CacheKey): string =>
  `${userPrefix(prefix, key.type, key.userId)}${key.version}:${key.digest}`;

export const versionKey = (prefix: string, userId: string): string => `${prefix}:mv:${checkedUserId(userId)}`;
/** Raised by an invalidation, so that no process keeps entries of before in its memory. */
export const epochKey = (prefix: string, type: CacheType): string => `${prefix}:cache-epoch:${type}`;

/** SHA-256 over the parts as JSON, in which no two lists of parts read the same. */
export function digestOf(parts: readonly (string | number | null)[]): string {
  return hash('sha256', JSON.stringify(parts));
}

/** White space that is not one space between words. */
const unevenSpace = /[^\S ]|\s\s|^\s|\s$/u;
const plainText = /^[\x20-\x7e]*$/;
const endings = new Set('?.!,;:…。？！ ');

/**
 * A question without what does not change its meaning: Unicode form (NFKC), case, white space, invisible characters, and
 * punctuation at the end.
 */
export function normaliseQuestion(question: string): string {
  const visible = plainText.test(question)
    ? question.toLowerCase()
    : question
        .normalize('NFKC')
        .replace(/[\p{Cc}\p{Cf}]/gu, ' ')
        .toLowerCase();
  const text = unevenSpace.test(visible) ? visible.replace(/\s+/gu, ' ').trim() : visible;
  let end = text.length;
  while (end > 0 && endings.has(text.charAt(end - 1))) end -= 1;
  return text.slice(0, end);
}

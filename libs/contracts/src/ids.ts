import { createHash, randomBytes } from 'node:crypto';
import type { Operation } from './define-job.ts';

const alphabet = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';

function crockford(bytes: Uint8Array, length: number): string {
  let value = 0n;
  for (const byte of bytes) value = (value << 8n) | BigInt(byte);
  let text = '';
  for (let i = 0; i < length; i += 1) {
    text = alphabet.charAt(Number(value & 31n)) + text;
    value >>= 5n;
  }
  return text;
}

const chanceCharacters = 16;
let chance = Buffer.alloc(0);
let used = 0;

/** 80 bits of chance, five a byte, from a store that is filled for many ids at once. */
function chanceText(): string {
  if (used === chance.length) {
    chance = randomBytes(256 * chanceCharacters);
    used = 0;
  }
  let text = '';
  for (const end = used + chanceCharacters; used < end; used += 1) text += alphabet.charAt((chance[used] ?? 0) & 31);
  return text;
}

/** A ULID (48 bits of milliseconds, 80 bits of chance): 26 characters, sorts by time. */
export function newUlid(now = Date.now()): string {
  let time = '';
  for (let left = now; time.length < 10; left = Math.floor(left / 32)) time = alphabet.charAt(left % 32) + time;
  return time + chanceText();
}

export const newManualId = (): string => `man_${newUlid()}`;
export const newUploadId = (): string => `upl_${newUlid()}`;
export const newConversationId = (): string => `cnv_${newUlid()}`;
export const newJobId = (operation: Operation): string => `${operation}_${newUlid()}`;

/**
 * The id of the job that an `Idempotency-Key` names: the same user, operation and key give the same id, on every
 * gateway. `generation` tells apart a key used again after its 24 hours.
 */
export function jobIdForKey(operation: Operation, userId: string, key: string, generation = ''): string {
  return `${operation}_${derivedId(userId, operation, key, generation)}`;
}

/** 26 characters of base 32 derived from the parts, for names that a retry must find again. */
export function derivedId(...parts: string[]): string {
  const digest = createHash('sha256')
    .update(parts.map((part) => `${part.length}:${part}`).join('|'))
    .digest();
  return crockford(digest.subarray(0, 17), 26);
}

import { createHash, randomFillSync } from 'node:crypto';
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

/** All texts of two characters: ten bits each. */
const pairs = Array.from({ length: 1024 }, (_, value) => alphabet.charAt(value >> 5) + alphabet.charAt(value & 31));
const chancePairs = 8;
const chance = new Uint16Array(256 * chancePairs);
let used = chance.length;

/** 80 bits of chance, ten of each number, from a store that is filled for many ids at once. */
function chanceText(): string {
  if (used === chance.length) {
    randomFillSync(chance);
    used = 0;
  }
  let text = '';
  for (const end = used + chancePairs; used < end; used += 1) text += pairs[(chance[used] ?? 0) & 1023];
  return text;
}

let lastTime = { ms: Number.NaN, text: '' };

function timeText(ms: number): string {
  if (lastTime.ms === ms) return lastTime.text;
  let text = '';
  for (let left = ms; text.length < 10; left = Math.floor(left / 32)) text = alphabet.charAt(left % 32) + text;
  lastTime = { ms, text };
  return text;
}

/** A ULID (48 bits of milliseconds, 80 bits of chance): 26 characters, sorts by time. */
export const newUlid = (now = Date.now()): string => timeText(now) + chanceText();

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

import { hash, randomFillSync } from 'node:crypto';
import type { Operation } from './define-job.ts';

const alphabet = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';

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
export function derivedId(...parts: readonly string[]): string {
  let named = '';
  for (const part of parts) named += `${named === '' ? '' : '|'}${part.length}:${part}`;
  // As text, a character a byte: a Buffer costs three times the hash itself.
  const digest = hash('sha256', named, 'binary');
  // The last 130 bits of its first 17 bytes, ten at a time.
  let text = '';
  let value = digest.charCodeAt(0) & 3;
  let bits = 2;
  for (let at = 1; at < 17; at += 1) {
    value = (value << 8) | digest.charCodeAt(at);
    bits += 8;
    if (bits < 10) continue;
    bits -= 10;
    text += pairs[value >> bits];
    value &= (1 << bits) - 1;
  }
  return text;
}

import { ManuelError } from '@manuel/contracts';
import { hash } from 'node:crypto';

/**
 * A cursor names the last row of a page by its place in the order, with a check that tells a list's own cursors from altered
 * and borrowed ones. The check is no secret and guards nothing: the owner is always taken from the caller, so that even a
 * forged cursor can only move about in the caller's own rows.
 */
export interface CursorKind {
  readonly name: string;
  readonly place: RegExp;
}

export const cursorKinds = {
  jobs: { name: 'j', place: /^\d{15}#[a-z-]{1,20}_[0-9A-HJKMNP-TV-Z]{26}$/ },
  manuals: { name: 'm', place: /^man_[0-9A-HJKMNP-TV-Z]{26}$/ },
  deadLetters: { name: 'd', place: /^\d{15}#[\x21-\x7e]{1,200}$/ },
} as const satisfies Record<string, CursorKind>;

const checkLength = 8;
const checkOf = (kind: CursorKind, owner: string, place: string): string =>
  hash('sha256', JSON.stringify([kind.name, owner, place]), 'base64url').slice(0, checkLength);

/** `owner`: the user whose list it is; '' for a list that is nobody's. */
export const toCursor = (kind: CursorKind, owner: string, place: string): string =>
  Buffer.from(`${kind.name}${checkOf(kind, owner, place)}:${place}`, 'utf8').toString('base64url');

/** Throws ManuelError `validation_failed` for a cursor that this list of this owner did not give out. */
export function fromCursor(kind: CursorKind, owner: string, cursor: string): string {
  const text = Buffer.from(cursor, 'base64url').toString('utf8');
  const place = text.slice(kind.name.length + checkLength + 1);
  if (!kind.place.test(place) || toCursor(kind, owner, place) !== cursor) {
    throw new ManuelError('validation_failed', 'The cursor is not one that this list gave out.', {
      errors: [{ path: 'cursor', message: 'is not a cursor of this list; leave it out to start from the newest' }],
    });
  }
  return place;
}

import { ManuelError } from '@manuel/contracts';

/**
 * A cursor names the last row of a page by its place in the order, and nothing else: the owner is always taken from the
 * caller, so that a forged cursor can only move about in the caller's own rows.
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

export const toCursor = (kind: CursorKind, place: string): string =>
  Buffer.from(`${kind.name}:${place}`, 'utf8').toString('base64url');

/** Throws ManuelError `validation_failed` for a cursor that we did not make. */
export function fromCursor(kind: CursorKind, cursor: string): string {
  const text = Buffer.from(cursor, 'base64url').toString('utf8');
  const place = text.slice(kind.name.length + 1);
  if (text !== `${kind.name}:${place}` || !kind.place.test(place) || toCursor(kind, place) !== cursor) {
    throw new ManuelError('validation_failed', 'The cursor is not one that this list gave out.', {
      errors: [{ path: 'cursor', message: 'is not a cursor of this list; leave it out to start from the newest' }],
    });
  }
  return place;
}

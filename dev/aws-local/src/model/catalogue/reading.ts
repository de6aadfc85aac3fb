import type { JsonValue } from '../wire/converse-shapes.ts';

export interface Filter {
  readonly field: string;
  readonly op: string;
  readonly value: JsonValue;
}

export interface SortKey {
  readonly field: string;
  readonly order: 'asc' | 'desc';
}

/** A request as far as it is understood: what was found, and the words not yet accounted for. */
export interface Reading {
  rest: string;
  readonly filters: Filter[];
  readonly sort: SortKey[];
  limit: number | undefined;
}

/** Gives every match of the pattern to `understand`; what it accepts (by returning true) is struck from the rest. */
export function take(reading: Reading, pattern: string, understand: (match: RegExpExecArray) => boolean): void {
  const global = new RegExp(pattern, 'giu');
  let at = 0;
  for (;;) {
    global.lastIndex = at;
    const match = global.exec(reading.rest);
    if (match === null) return;
    if (match[0] !== '' && understand(match)) {
      reading.rest = `${reading.rest.slice(0, match.index)} ; ${reading.rest.slice(match.index + match[0].length)}`;
      at = match.index + 3;
    } else {
      at = match.index + Math.max(1, match[0].length);
    }
  }
}

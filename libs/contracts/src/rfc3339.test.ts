import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { rfc3339 } from './rfc3339.ts';

test('says what Date says, in whatever order it is asked', () => {
  const times = fc.array(fc.integer({ min: -1e12, max: 4e12 }), { maxLength: 20 });
  fc.assert(
    fc.property(times, (ms) => {
      for (const one of ms) expect(rfc3339(one)).toBe(new Date(one).toISOString());
    }),
  );
  expect(rfc3339(1_795_218_300_123)).toBe('2026-11-20T23:45:00.123Z');
});

test('a time that is none is refused', () => {
  expect(() => rfc3339(Number.NaN)).toThrow(RangeError);
});

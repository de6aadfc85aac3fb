import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { VerifiedTokens } from './verified-tokens.ts';

const later = { expiresAtMs: 2000 };

test('only the very text that was verified is known, whatever another has in common with it', () => {
  fc.assert(
    fc.property(
      fc.string({ maxLength: 40 }),
      fc.string({ maxLength: 40 }),
      fc.string({ maxLength: 40 }),
      (a, b, end) => {
        const tokens = new VerifiedTokens<typeof later>(10);
        tokens.set(a + end, later);
        expect(tokens.get(a + end, 1000)).toBe(later);
        expect(tokens.get(b + end, 1000)).toBe(a === b ? later : undefined);
      },
    ),
  );
  const tokens = new VerifiedTokens<typeof later>(10);
  tokens.set(`one.${'s'.repeat(100)}`, later);
  expect(tokens.get(`two.${'s'.repeat(100)}`, 1000)).toBeUndefined();
});

test('a token is known until it expires', () => {
  const tokens = new VerifiedTokens<typeof later>(10);
  tokens.set('token', later);
  expect(tokens.get('token', 1999)).toBe(later);
  expect(tokens.get('token', 2000)).toBeUndefined();
});

test('those that were not asked for lately go first, and never more than twice the capacity stay', () => {
  const tokens = new VerifiedTokens<typeof later>(3);
  for (let n = 0; n < 6; n += 1) {
    tokens.set(`token-${n}`, later);
    tokens.get('token-0', 1000);
  }
  const known = Array.from({ length: 6 }, (_, n) => tokens.get(`token-${n}`, 1000) !== undefined);
  expect(known[0]).toBe(true);
  expect(known.slice(3)).toEqual([true, true, true]);
});

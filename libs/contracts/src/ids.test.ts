import { createHash } from 'node:crypto';
import { expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { derivedId, jobIdForKey } from './ids.ts';

const alphabet = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';

/** As it is defined: the first 17 bytes as one number, of which the last 26 digits of base 32. */
function defined(...parts: string[]): string {
  const digest = createHash('sha256').update(parts.map((part) => `${part.length}:${part}`).join('|'));
  let value = BigInt(`0x${digest.digest('hex').slice(0, 34)}`);
  let text = '';
  for (let digit = 0; digit < 26; digit += 1) {
    text = alphabet.charAt(Number(value % 32n)) + text;
    value /= 32n;
  }
  return text;
}

test('an id derives from its parts alone, in the same way in every version', () => {
  fc.assert(
    fc.property(fc.array(fc.string({ unit: 'binary' }), { minLength: 1, maxLength: 4 }), (parts) => {
      expect(derivedId(...parts)).toBe(defined(...parts));
    }),
    { numRuns: 500 },
  );
  // What lies in ledgers.
  expect(derivedId('a', 'b')).toBe('1GTFYCNK7D8WRABQXAH1T54SMM');
  expect(jobIdForKey('query', 'user', 'key')).toBe(`query_${defined('user', 'query', 'key', '')}`);
});

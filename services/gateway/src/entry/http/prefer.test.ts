import { expect, test } from '@jest/globals';
import { waitFrom } from './prefer.ts';

test.each([
  [undefined, undefined],
  ['', undefined],
  ['respond-async', undefined],
  ['wait=1', 1],
  ['WAIT = 30', 30],
  ['wait="7"; foo=bar', 7],
  ['respond-async, wait=5', 5],
  ['wait=5, wait=31', 5],
  ['handling="lenient, wait=31", wait=2', 2],
  ['handling="a\\", wait=31"', undefined],
  ['handling="never ends, wait=31', undefined],
])('%s is a wait of %s', (header, seconds) => {
  expect(waitFrom(header)).toBe(seconds);
});

test.each(['wait', 'wait=', 'wait=0', 'wait=-1', 'wait=31', 'wait=1.5', 'wait=1e1', 'wait=soon', 'foo="a", wait=99'])(
  '%s is refused',
  (header) => {
    expect(() => waitFrom(header)).toThrow(expect.objectContaining({ code: 'validation_failed' }));
  },
);

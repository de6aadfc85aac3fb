import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { Metadata } from '../types.ts';
import { matchesFilter, parseFilter } from './filter.ts';

const key = fc.constantFrom('a', 'b', 'constructor');
const text = fc.constantFrom('', 'x', 'xy', 'yx', 'z');
const number = fc.integer({ min: -2, max: 2 });
const scalar = fc.oneof(text, number, fc.boolean());
const metadata = fc.dictionary(key, fc.oneof(scalar, fc.array(text, { maxLength: 3 })));

const leaf = fc.oneof(
  fc.record({ op: fc.constantFrom('equals', 'notEquals'), key, value: scalar }),
  fc.record({ op: fc.constantFrom('in', 'notIn'), key, value: fc.array(scalar, { minLength: 1, maxLength: 3 }) }),
  fc.record({
    op: fc.constantFrom('greaterThan', 'greaterThanOrEquals', 'lessThan', 'lessThanOrEquals'),
    key,
    value: number,
  }),
  fc.record({ op: fc.constantFrom('startsWith', 'listContains', 'stringContains'), key, value: text }),
);
type Leaf = typeof leaf extends fc.Arbitrary<infer T> ? T : never;

/** What Bedrock's documentation says of each operator, one line each. */
function reference({ op, key: name, value }: Leaf, document: Metadata): boolean {
  const actual: unknown = Object.hasOwn(document, name) ? document[name] : undefined;
  const said: Record<string, () => boolean> = {
    equals: () => actual === value,
    notEquals: () => actual !== value,
    in: () => (value as unknown[]).includes(actual),
    notIn: () => !(value as unknown[]).includes(actual),
    greaterThan: () => typeof actual === 'number' && actual > Number(value),
    greaterThanOrEquals: () => typeof actual === 'number' && actual >= Number(value),
    lessThan: () => typeof actual === 'number' && actual < Number(value),
    lessThanOrEquals: () => typeof actual === 'number' && actual <= Number(value),
    startsWith: () => typeof actual === 'string' && actual.startsWith(String(value)),
    listContains: () => Array.isArray(actual) && actual.includes(value),
    stringContains: () =>
      typeof actual === 'string'
        ? actual.includes(String(value))
        : Array.isArray(actual) && actual.some((member) => String(member).includes(String(value))),
  };
  return said[op]?.() ?? false;
}

const onWire = ({ op, key: name, value }: Leaf): object => ({ [op]: { key: name, value } });

test('every operator means what Bedrock says', () => {
  fc.assert(
    fc.property(leaf, metadata, (filter, document) => {
      expect(matchesFilter(parseFilter(onWire(filter)), document)).toBe(reference(filter, document));
    }),
    { numRuns: 2_000 },
  );
});

test('groups are all and any of their members, one level inside another', () => {
  const members = fc.array(leaf, { minLength: 2, maxLength: 5 });
  fc.assert(
    fc.property(members, members, metadata, (outer, inner, document) => {
      const filter = { orAll: [{ andAll: outer.map(onWire) }, { andAll: inner.map(onWire) }] };
      const holds = (list: Leaf[]): boolean => list.every((member) => reference(member, document));
      expect(matchesFilter(parseFilter(filter), document)).toBe(holds(outer) || holds(inner));
    }),
  );
});

const fine = { equals: { key: 'a', value: 'x' } };
const pair = { andAll: [fine, fine] };

test.each([
  ['nothing', {}],
  ['no object', 'equals'],
  ['two operators', { ...fine, notEquals: { key: 'a', value: 'x' } }],
  ['an unknown operator', { like: { key: 'a', value: 'x' } }],
  ['a group of one', { andAll: [fine] }],
  ['a group of six', { orAll: [fine, fine, fine, fine, fine, fine] }],
  ['a third level', { andAll: [fine, { orAll: [fine, pair] }] }],
  ['no key', { equals: { value: 'x' } }],
  ['no value', { equals: { key: 'a' } }],
  ['a list for equals', { equals: { key: 'a', value: ['x'] } }],
  ['a string for greaterThan', { greaterThan: { key: 'a', value: '1' } }],
  ['an empty list for in', { in: { key: 'a', value: [] } }],
  ['a number for startsWith', { startsWith: { key: 'a', value: 1 } }],
])('refuses %s', (_, filter) => {
  expect(() => parseFilter(filter)).toThrow(expect.objectContaining({ code: 'ValidationException' }));
});

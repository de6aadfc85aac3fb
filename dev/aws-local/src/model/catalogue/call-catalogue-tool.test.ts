import { describe, expect, test } from '@jest/globals';
import type { ConverseRequest, JsonObject, ToolSpec } from '../wire/converse-shapes.ts';
import { callCatalogueTool } from './call-catalogue-tool.ts';

const petFields = ['name', 'type', 'breed', 'age', 'price'];
const sort = {
  type: 'array',
  items: {
    type: 'object',
    properties: { field: { type: 'string', enum: petFields }, order: { type: 'string', enum: ['asc', 'desc'] } },
  },
};
const ops = ['eq', 'ne', 'lt', 'lte', 'gt', 'gte', 'contains', 'in'];

/** One shape of a filter for all fields; what the fields hold is told in words. */
const plain: JsonObject = {
  type: 'object',
  properties: {
    filters: {
      type: 'array',
      items: {
        type: 'object',
        properties: {
          field: {
            type: 'string',
            enum: petFields,
            description: 'type (one of dog, cat, rabbit, bird); age (number, years); price (number, euros)',
          },
          op: { type: 'string', enum: ops },
          value: {},
        },
      },
    },
    sort,
    limit: { type: 'integer' },
  },
};

/** A branch for each field. */
const branches: JsonObject = {
  type: 'object',
  properties: {
    filters: {
      type: 'array',
      items: {
        anyOf: petFields.map((name) => ({
          type: 'object',
          properties: {
            field: { const: name },
            op: { enum: ops },
            value:
              name === 'type'
                ? { type: 'string', enum: ['dog', 'cat', 'rabbit', 'bird'] }
                : { type: name === 'age' || name === 'price' ? 'number' : 'string' },
          },
        })),
      },
    },
    sort,
    limit: { type: 'integer' },
  },
};

/** The smallest schema that would do. */
const bare: JsonObject = {
  type: 'object',
  properties: {
    filters: {
      type: 'array',
      items: {
        type: 'object',
        properties: { field: { enum: petFields }, op: { enum: ops }, value: { type: ['string', 'number'] } },
      },
    },
    sort,
    limit: { type: 'integer' },
  },
};

function ask(text: string, schema: JsonObject = plain, choice: ConverseRequest['toolChoice'] = { kind: 'auto' }) {
  const tool: ToolSpec = { name: 'query_pets', schema };
  return callCatalogueTool({
    modelId: 'm',
    system: '',
    messages: [{ role: 'user', content: [{ text }] }],
    inference: { stopSequences: [] },
    tools: [tool],
    toolChoice: choice,
  });
}

const dog = { field: 'type', op: 'eq', value: 'dog' };
const price = (op: string, value: number) => ({ field: 'price', op, value });
const age = (op: string, value: number) => ({ field: 'age', op, value });
const by = (field: string, order: string) => ({ sort: [{ field, order }] });

const understood: Record<string, object> = {
  'dogs under 600, dearest first': { filters: [dog, price('lt', 600)], ...by('price', 'desc') },
  'show me all cats': { filters: [{ field: 'type', op: 'eq', value: 'cat' }] },
  'cats or rabbits younger than 3': { filters: [{ field: 'type', op: 'in', value: ['cat', 'rabbit'] }, age('lt', 3)] },
  'the three cheapest dogs': { filters: [dog], ...by('price', 'asc'), limit: 3 },
  'top 5 most expensive pets': { filters: [], ...by('price', 'desc'), limit: 5 },
  'pets between 100 and 400 euros': { filters: [price('gte', 100), price('lte', 400)] },
  'puppies for no more than €1,200': { filters: [dog, price('lte', 1200)] },
  'birds older than 2 years, oldest first': {
    filters: [{ field: 'type', op: 'eq', value: 'bird' }, age('gt', 2)],
    ...by('age', 'desc'),
  },
  'dogs at least 2 years old but cheaper than 500': { filters: [dog, age('gte', 2), price('lt', 500)] },
  'anything but cats': { filters: [{ field: 'type', op: 'ne', value: 'cat' }] },
  'a pet named Rex': { filters: [{ field: 'name', op: 'eq', value: 'Rex' }] },
  'beagles under 300': { filters: [{ field: 'breed', op: 'contains', value: 'beagle' }, price('lt', 300)] },
  '4 year old dogs sorted by price': { filters: [dog, age('eq', 4)], ...by('price', 'asc') },
  'dogs, price 600 or less': { filters: [dog, price('lte', 600)] },
  'all dogs by age descending': { filters: [dog], ...by('age', 'desc') },
  'youngest cats first': { filters: [{ field: 'type', op: 'eq', value: 'cat' }], ...by('age', 'asc') },
};

describe('the catalogue tool', () => {
  for (const [name, schema] of Object.entries({ plain, branches, bare })) {
    test.each(Object.entries(understood))(`reads "%s" (${name} schema)`, (text, expected) => {
      const input = ask(text, schema)?.input;
      const sorted = (value: unknown) => {
        const { filters, ...rest } = value as { filters: { field: string; op: string }[] };
        return { ...rest, filters: filters.toSorted((a, b) => (a.field + a.op).localeCompare(b.field + b.op)) };
      };
      expect(sorted(input)).toEqual(sorted(expected));
    });
  }

  test('leaves alone what it does not understand, unless it must call', () => {
    expect(ask('hello there')).toBeUndefined();
    expect(ask('hello there', plain, { kind: 'any' })?.input).toMatchObject({ filters: expect.any(Array) });
  });

  test('leaves alone a tool of another kind', () => {
    const weather = { type: 'object', properties: { city: { type: 'string' } } };
    expect(ask('dogs under 600', weather, { kind: 'any' })).toBeUndefined();
  });

  test('writes numbers as strings where the schema takes strings only', () => {
    const strings = structuredClone(bare);
    expect(JSON.stringify(strings)).toContain('["string","number"]');
    const schema: JsonObject = JSON.parse(JSON.stringify(strings).replace('["string","number"]', '"string"'));
    expect(ask('dogs under 600', schema)?.input).toEqual({
      filters: expect.arrayContaining([{ field: 'price', op: 'lt', value: '600' }]),
    });
  });

  test('reads a catalogue of appliances', () => {
    const fields = ['name', 'brand', 'category', 'model_number', 'purchased_at', 'price'];
    const schema: JsonObject = JSON.parse(
      JSON.stringify(bare).replaceAll(JSON.stringify(petFields), JSON.stringify(fields)),
    );
    expect(ask('washing machines made by Bosch, newest first', schema)?.input).toEqual({
      filters: [
        { field: 'category', op: 'eq', value: 'washer' },
        { field: 'brand', op: 'eq', value: 'Bosch' },
      ],
      sort: [{ field: 'purchased_at', order: 'desc' }],
    });
  });
});

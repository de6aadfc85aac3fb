import type { JsonObject, JsonValue, ToolSpec } from '../wire/converse-shapes.ts';

export interface Field {
  readonly name: string;
  readonly kind: 'number' | 'text' | 'unknown';
  /** The values it may have, when the schema lists them. */
  readonly values: readonly string[];
}

/** What a tool for querying a collection accepts: `{filters: [{field, op, value}], sort?: [{field, order}], limit?}`. */
export interface FilterSchema {
  readonly fields: readonly Field[];
  readonly ops: ReadonlySet<string>;
  readonly sortable: ReadonlySet<string>;
  readonly hasLimit: boolean;
  /** False when the schema takes values as strings only. */
  readonly numericValues: boolean;
  readonly required: ReadonlySet<string>;
}

const NUMERIC_NAME =
  /(?:^|_)(?:price|cost|age|year|weight|height|width|depth|size|count|quantity|stock|amount|rating|power|watts?|capacity|volume|months?|days?|score|number)(?:_|$)/i;

/** Reads a tool's input schema; undefined when it is no such tool. */
export function readFilterSchema(tool: ToolSpec): FilterSchema | undefined {
  const properties = objectAt(tool.schema, 'properties');
  const filterVariants = itemVariants(objectAt(properties, 'filters'));
  const ops = new Set<string>();
  const fields = new Map<string, Field>();
  let numericValues = false;
  for (const variant of filterVariants) {
    const members = objectAt(variant, 'properties');
    const field = objectAt(members, 'field');
    const value = objectAt(members, 'value');
    for (const op of literals(objectAt(members, 'op'))) ops.add(op);
    if (acceptsNumbers(value)) numericValues = true;
    for (const name of literals(field)) {
      const notes = [text(field), text(value), text(variant), tool.description ?? ''].join('\n');
      fields.set(name, mergeField(fields.get(name), readField(name, value, filterVariants.length > 1, notes)));
    }
  }
  if (fields.size === 0 || ops.size === 0) return undefined;
  const sortable = new Set(
    itemVariants(objectAt(properties, 'sort')).flatMap((variant) =>
      literals(objectAt(objectAt(variant, 'properties'), 'field')),
    ),
  );
  const required = tool.schema['required'];
  return {
    fields: [...fields.values()],
    ops,
    sortable,
    hasLimit: properties?.['limit'] !== undefined,
    numericValues,
    required: new Set(Array.isArray(required) ? required.filter((name) => typeof name === 'string') : []),
  };
}

function readField(name: string, value: JsonObject | undefined, ownVariant: boolean, notes: string): Field {
  const described = describedAs(name, notes);
  const listed = ownVariant ? literals(value) : [];
  const values = listed.length > 0 ? listed : described.values;
  const type = ownVariant ? value?.['type'] : undefined;
  if (values.length > 0) return { name, kind: 'text', values };
  if (type === 'number' || type === 'integer' || described.isNumber) return { name, kind: 'number', values };
  if (type === 'string' || described.isText)
    return { name, kind: NUMERIC_NAME.test(name) && type !== 'string' ? 'number' : 'text', values };
  return { name, kind: NUMERIC_NAME.test(name) ? 'number' : 'unknown', values };
}

function mergeField(known: Field | undefined, next: Field): Field {
  if (known === undefined) return next;
  return {
    name: known.name,
    kind: known.kind === 'unknown' ? next.kind : known.kind,
    values: [...new Set([...known.values, ...next.values])],
  };
}

/** Finds what a description says of a field: `price (number, euros)`, `type: one of dog, cat`, `type (dog | cat)`. */
function describedAs(name: string, notes: string): { isNumber: boolean; isText: boolean; values: string[] } {
  const about = new RegExp(
    `\\b${name.replace(/[^\w]/g, '\\$&')}\\b["'\`]?\\s*(?:\\(([^)]*)\\)|[:=]\\s*([^;\\n]*))`,
    'i',
  ).exec(notes);
  const note = about?.[1] ?? about?.[2] ?? '';
  const list = /(?:one of|enum|values?|either)\b[:\s]*(.+)$/i.exec(note)?.[1] ?? (/[|/]/.test(note) ? note : '');
  const values = list
    .split(/[,|/]|\bor\b/)
    .map((value) => value.replace(/["'`[\]().]/g, '').trim())
    .filter((value) => /^[\p{L}\p{N}][\p{L}\p{N} _-]{0,40}$/u.test(value));
  return {
    isNumber: /\b(?:number|integer|numeric|decimal|euros?|dollars?|years)\b/i.test(note),
    isText: /\b(?:string|text|word)\b/i.test(note),
    values: values.length > 1 ? values : [],
  };
}

/** The item schemas of an array property: one, or each branch of a oneOf / anyOf. */
function itemVariants(property: JsonObject | undefined): JsonObject[] {
  const items = objectAt(property, 'items');
  if (items === undefined) return [];
  const branches = items['oneOf'] ?? items['anyOf'];
  return Array.isArray(branches) ? branches.filter(isObject) : [items];
}

function literals(schema: JsonObject | undefined): string[] {
  const single = schema?.['const'];
  const listed = schema?.['enum'];
  const values = Array.isArray(listed) ? listed : single === undefined ? [] : [single];
  return values.filter((value) => typeof value === 'string');
}

function acceptsNumbers(value: JsonObject | undefined): boolean {
  if (value === undefined) return false;
  const type = value['type'];
  const types = Array.isArray(type) ? type : [type];
  if (types.includes('number') || types.includes('integer')) return true;
  const branches = value['anyOf'] ?? value['oneOf'];
  if (Array.isArray(branches)) return branches.some((branch) => isObject(branch) && acceptsNumbers(branch));
  return type === undefined && value['enum'] === undefined && value['const'] === undefined;
}

function objectAt(value: JsonObject | undefined, key: string): JsonObject | undefined {
  const member = value?.[key];
  return member !== undefined && isObject(member) ? member : undefined;
}

function isObject(value: JsonValue): value is JsonObject {
  return value !== null && typeof value === 'object' && !Array.isArray(value);
}

function text(schema: JsonObject | undefined): string {
  const description = schema?.['description'];
  return typeof description === 'string' ? description : '';
}

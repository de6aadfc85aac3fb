import { AwsError } from '../../service.ts';
import type { Metadata, MetadataValue } from '../types.ts';

/**
 * Bedrock's RetrievalFilter: https://docs.aws.amazon.com/bedrock/latest/APIReference/API_agent-runtime_RetrievalFilter.html
 * Groups (`andAll`, `orAll`) hold 2 to 5 members and may hold groups of leaves, but nothing deeper.
 */
export type Filter =
  | { readonly op: 'equals' | 'notEquals'; readonly key: string; readonly value: Scalar }
  | { readonly op: NumberOperator; readonly key: string; readonly value: number }
  | { readonly op: 'in' | 'notIn'; readonly key: string; readonly value: readonly Scalar[] }
  | { readonly op: StringOperator; readonly key: string; readonly value: string }
  | { readonly op: 'andAll' | 'orAll'; readonly members: readonly Filter[] };

type Scalar = string | number | boolean;
type NumberOperator = 'greaterThan' | 'greaterThanOrEquals' | 'lessThan' | 'lessThanOrEquals';
type StringOperator = 'startsWith' | 'listContains' | 'stringContains';

const SCALAR_OPERATORS = new Set(['equals', 'notEquals']);
const NUMBER_OPERATORS = new Set(['greaterThan', 'greaterThanOrEquals', 'lessThan', 'lessThanOrEquals']);
const LIST_OPERATORS = new Set(['in', 'notIn']);
const STRING_OPERATORS = new Set(['startsWith', 'listContains', 'stringContains']);
const GROUP_OPERATORS = new Set(['andAll', 'orAll']);

const MIN_GROUP = 2;
const MAX_GROUP = 5;
const MAX_DEPTH = 2;
const MAX_KEY_LENGTH = 200;

/** Reads the `filter` of a Retrieve request; throws ValidationException where Bedrock would. */
export function parseFilter(input: unknown): Filter {
  return parse(input, 1);
}

function parse(input: unknown, depth: number): Filter {
  if (!isRecord(input)) throw invalid('a filter must be an object with exactly one operator');
  const entries = Object.entries(input).filter(([, value]) => value !== undefined && value !== null);
  const [entry] = entries;
  if (entries.length !== 1 || entry === undefined) throw invalid('a filter must hold exactly one operator');
  const [op, body] = entry;
  if (GROUP_OPERATORS.has(op)) return parseGroup(op as 'andAll' | 'orAll', body, depth);
  return parseLeaf(op, body);
}

function parseGroup(op: 'andAll' | 'orAll', body: unknown, depth: number): Filter {
  if (depth > MAX_DEPTH) throw invalid(`${op} is nested too deeply: groups may hold groups, but no third level`);
  if (!Array.isArray(body) || body.length < MIN_GROUP) throw invalid(`${op} must hold at least ${MIN_GROUP} filters`);
  if (body.length > MAX_GROUP) throw invalid(`${op} must hold at most ${MAX_GROUP} filters`);
  return { op, members: body.map((member: unknown) => parse(member, depth + 1)) };
}

function parseLeaf(op: string, body: unknown): Filter {
  if (!isRecord(body)) throw invalid(`${op} must be {key, value}`);
  const { key, value } = body;
  if (typeof key !== 'string' || key.length < 1 || key.length > MAX_KEY_LENGTH) {
    throw invalid(`${op}.key must be a string of 1 to ${MAX_KEY_LENGTH} characters`);
  }
  if (SCALAR_OPERATORS.has(op)) {
    if (!isScalar(value)) throw invalid(`${op}.value must be a string, number or boolean`);
    return { op: op as 'equals', key, value };
  }
  if (NUMBER_OPERATORS.has(op)) {
    if (typeof value !== 'number') throw invalid(`${op}.value must be a number`);
    return { op: op as NumberOperator, key, value };
  }
  if (LIST_OPERATORS.has(op)) {
    if (!Array.isArray(value) || value.length === 0 || !value.every(isScalar)) {
      throw invalid(`${op}.value must be a list of strings, numbers or booleans`);
    }
    return { op: op as 'in', key, value };
  }
  if (STRING_OPERATORS.has(op)) {
    if (typeof value !== 'string') throw invalid(`${op}.value must be a string`);
    return { op: op as StringOperator, key, value };
  }
  throw invalid(`${op} is no filter operator`);
}

/** Whether a document with this metadata passes. A document without the key passes `notEquals` and `notIn` only. */
export function matchesFilter(filter: Filter, metadata: Metadata): boolean {
  switch (filter.op) {
    case 'andAll':
      return filter.members.every((member) => matchesFilter(member, metadata));
    case 'orAll':
      return filter.members.some((member) => matchesFilter(member, metadata));
    case 'equals':
      return attribute(metadata, filter.key) === filter.value;
    case 'notEquals':
      return attribute(metadata, filter.key) !== filter.value;
    case 'in':
      return isListed(attribute(metadata, filter.key), filter.value);
    case 'notIn':
      return !isListed(attribute(metadata, filter.key), filter.value);
    case 'greaterThan':
    case 'greaterThanOrEquals':
    case 'lessThan':
    case 'lessThanOrEquals':
      return compares(filter.op, attribute(metadata, filter.key), filter.value);
    case 'startsWith':
    case 'listContains':
    case 'stringContains':
      return containsText(filter.op, attribute(metadata, filter.key), filter.value);
  }
}

function compares(op: NumberOperator, actual: MetadataValue | undefined, limit: number): boolean {
  if (typeof actual !== 'number') return false;
  switch (op) {
    case 'greaterThan':
      return actual > limit;
    case 'greaterThanOrEquals':
      return actual >= limit;
    case 'lessThan':
      return actual < limit;
    case 'lessThanOrEquals':
      return actual <= limit;
  }
}

function containsText(op: StringOperator, actual: MetadataValue | undefined, text: string): boolean {
  switch (op) {
    case 'startsWith':
      return typeof actual === 'string' && actual.startsWith(text);
    case 'listContains':
      return isList(actual) && actual.includes(text);
    case 'stringContains':
      if (isList(actual)) return actual.some((member) => member.includes(text));
      return typeof actual === 'string' && actual.includes(text);
  }
}

/** Own properties only: a key named `constructor` is absent unless the sidecar has it. */
function attribute(metadata: Metadata, key: string): MetadataValue | undefined {
  return Object.hasOwn(metadata, key) ? metadata[key] : undefined;
}

function isListed(actual: MetadataValue | undefined, values: readonly Scalar[]): boolean {
  return isScalar(actual) && values.includes(actual);
}

function isList(value: MetadataValue | undefined): value is readonly string[] {
  return Array.isArray(value);
}

function isScalar(value: unknown): value is Scalar {
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean';
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function invalid(reason: string): AwsError {
  return new AwsError('ValidationException', `The retrieval filter is invalid: ${reason}`);
}

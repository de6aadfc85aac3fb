import { AwsError } from '../service.ts';

export type Fields = Readonly<Record<string, unknown>>;

export function badRequest(message: string): AwsError {
  return new AwsError('BadRequestException', message, 400);
}

/** Parses an aws-json body, which must be an object. */
export function parseBody(body: Buffer): Fields {
  let parsed: unknown;
  try {
    parsed = JSON.parse(body.length === 0 ? '{}' : body.toString('utf8'));
  } catch {
    throw new AwsError('SerializationException', 'The request body is not valid JSON.', 400);
  }
  return asFields(parsed, 'body');
}

export function asFields(value: unknown, path: string): Fields {
  if (value === null || typeof value !== 'object' || Array.isArray(value))
    throw badRequest(`${path} must be an object`);
  // An object that is no array has string keys; what lies under them is checked where it is read.
  return value as Fields;
}

export function optionalFields(value: unknown, path: string): Fields | undefined {
  return value === undefined || value === null ? undefined : asFields(value, path);
}

interface TextRule {
  readonly pattern?: RegExp;
  readonly max?: number;
  readonly oneOf?: readonly string[];
}

/** Reads an optional string and holds it to its rule, in AWS's words. */
export function optionalText(fields: Fields, name: string, rule: TextRule = {}): string | undefined {
  const value = fields[name];
  if (value === undefined || value === null) return undefined;
  const refused = (constraint: string) =>
    badRequest(
      `1 validation error detected: Value '${String(value)}' at '${lowerFirst(name)}' failed to satisfy constraint: Member must ${constraint}`,
    );
  if (typeof value !== 'string') throw refused('be a string');
  if (value === '') throw refused('have length greater than or equal to 1');
  if (rule.max !== undefined && value.length > rule.max) throw refused(`have length less than or equal to ${rule.max}`);
  if (rule.pattern !== undefined && !rule.pattern.test(value))
    throw refused(`satisfy regular expression pattern: ${rule.pattern.source}`);
  if (rule.oneOf !== undefined && !rule.oneOf.includes(value))
    throw refused(`satisfy enum value set: [${rule.oneOf.join(', ')}]`);
  return value;
}

export function requiredText(fields: Fields, name: string, rule: TextRule = {}): string {
  const value = optionalText(fields, name, rule);
  if (value === undefined) {
    throw badRequest(
      `1 validation error detected: Value null at '${lowerFirst(name)}' failed to satisfy constraint: Member must not be null`,
    );
  }
  return value;
}

export function optionalInteger(fields: Fields, name: string, min: number, max: number): number | undefined {
  const value = fields[name];
  if (value === undefined || value === null) return undefined;
  if (typeof value !== 'number' || !Number.isInteger(value) || value < min || value > max) {
    throw badRequest(
      `1 validation error detected: Value '${String(value)}' at '${lowerFirst(name)}' failed to satisfy constraint: Member must be between ${min} and ${max}`,
    );
  }
  return value;
}

export function optionalTexts(fields: Fields, name: string): string[] | undefined {
  const value = fields[name];
  if (value === undefined || value === null) return undefined;
  if (!Array.isArray(value) || !value.every((item) => typeof item === 'string'))
    throw badRequest(`${name} must be a list of strings`);
  return value;
}

/** The name of a job, vocabulary or model: 1..200 of `[0-9a-zA-Z._-]`. */
export function resourceName(fields: Fields, name: string): string {
  return requiredText(fields, name, { pattern: /^[0-9a-zA-Z._-]+$/, max: 200 });
}

function lowerFirst(name: string): string {
  return name.slice(0, 1).toLowerCase() + name.slice(1);
}

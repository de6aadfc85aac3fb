import { AwsError } from '../../service.ts';
import type { JsonObject, JsonValue } from './converse-shapes.ts';

export function invalid(message: string): AwsError {
  return new AwsError('ValidationException', message, 400);
}

/** Parses a request body that must be a JSON object. */
export function parseJsonObject(body: Buffer): JsonObject {
  let parsed: unknown;
  try {
    parsed = JSON.parse(body.toString('utf8'));
  } catch (error) {
    throw invalid(`The request body is not valid JSON: ${error instanceof Error ? error.message : String(error)}`);
  }
  // JSON.parse yields nothing but JSON values.
  return asObject(parsed as JsonValue, 'body');
}

export function asObject(value: JsonValue | undefined, path: string): JsonObject {
  if (value === null || typeof value !== 'object' || Array.isArray(value)) throw invalid(`${path} must be an object`);
  return value;
}

export function asArray(value: JsonValue | undefined, path: string): JsonValue[] {
  if (!Array.isArray(value)) throw invalid(`${path} must be a list`);
  return value;
}

export function asString(value: JsonValue | undefined, path: string): string {
  if (typeof value !== 'string') throw invalid(`${path} must be a string`);
  return value;
}

/** A string with something in it besides white space. */
export function asText(value: JsonValue | undefined, path: string): string {
  const text = asString(value, path);
  if (text.trim() === '')
    throw invalid(
      `The text field in the ContentBlock object at ${path} is blank. Add text to the text field, and try again.`,
    );
  return text;
}

/** A number within the bounds, or undefined when absent. */
export function optionalNumber(
  value: JsonValue | undefined,
  path: string,
  bounds: { min: number; max?: number; integer?: boolean },
): number | undefined {
  if (value === undefined || value === null) return undefined;
  const refused = (rule: string) =>
    invalid(
      `1 validation error detected: Value '${String(value)}' at '${path}' failed to satisfy constraint: Member must ${rule}`,
    );
  if (typeof value !== 'number' || !Number.isFinite(value)) throw refused('be a number');
  if (bounds.integer === true && !Number.isInteger(value)) throw refused('be an integer');
  if (value < bounds.min) throw refused(`have value greater than or equal to ${bounds.min}`);
  if (bounds.max !== undefined && value > bounds.max) throw refused(`have value less than or equal to ${bounds.max}`);
  return value;
}

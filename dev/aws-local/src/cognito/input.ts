import { AwsError } from '../service.ts';

export type Input = Readonly<Record<string, unknown>>;

/** A required string member. Throws InvalidParameterException. */
export function text(input: Input, name: string): string {
  const value = input[name];
  if (typeof value !== 'string' || value === '') {
    throw new AwsError('InvalidParameterException', `Missing required parameter ${name}`);
  }
  return value;
}

/** A map of strings, such as AuthParameters; empty when absent. */
export function textMap(input: Input, name: string): Readonly<Record<string, string>> {
  const value = input[name] ?? {};
  if (typeof value !== 'object') throw new AwsError('InvalidParameterException', `${name} must be a map`);
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, String(item)]));
}

/** `[{Name, Value}]` as a map. */
export function attributeMap(input: Input, name: string): Record<string, string> {
  const value = input[name] ?? [];
  if (!Array.isArray(value)) throw new AwsError('InvalidParameterException', `${name} must be a list`);
  return Object.fromEntries(
    value.map((item: unknown) => [
      String(Reflect.get(Object(item), 'Name')),
      String(Reflect.get(Object(item), 'Value') ?? ''),
    ]),
  );
}

import type { z } from 'zod';
import { ManuelError, toFieldErrors } from '@manuel/contracts';

/** Checks input against its schema. Throws `validation_failed` that names each faulty field. */
export function parse<T extends z.ZodType>(schema: T, input: unknown, what: 'body' | 'query'): z.infer<T> {
  const parsed = schema.safeParse(input);
  if (parsed.success) return parsed.data;
  const errors = toFieldErrors(parsed.error);
  const [first] = errors;
  const where = first && first.path !== '' ? `${first.path}: ` : '';
  throw new ManuelError('validation_failed', `The ${what} is not valid. ${where}${first?.message ?? ''}`.trim(), {
    errors: errors.map((error) => ({ path: error.path === '' ? what : error.path, message: error.message })),
  });
}

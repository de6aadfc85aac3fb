import { z } from 'zod';

/** A zod schema as JSON Schema 2020-12, which is what OpenAPI 3.1 speaks. `input` is what a client sends, `output` what it gets. */
export function jsonSchema(schema: z.ZodType, io: 'input' | 'output'): Record<string, unknown> {
  const { $schema: _dialect, ...rest } = z.toJSONSchema(schema, {
    io,
    target: 'draft-2020-12',
    unrepresentable: 'any',
    // A later version may add fields to an answer: clients must not refuse them.
    override: ({ jsonSchema: made }) => {
      if (io === 'output') delete made.additionalProperties;
    },
  });
  return rest;
}

import { ManuelError, idempotencyKeySchema } from '@manuel/contracts';
import { canonicalJson, sha256Hex } from '../../domain/canonical-json.ts';
import type { Idempotency } from '../../domain/submission.ts';

/** The `Idempotency-Key` of a request with this body; undefined when it has none. Throws `validation_failed`. */
export function idempotencyFrom(header: string | string[] | undefined, body: unknown): Idempotency | undefined {
  if (header === undefined) return undefined;
  const parsed = idempotencyKeySchema.safeParse(header);
  if (!parsed.success) {
    throw new ManuelError('validation_failed', 'Idempotency-Key must be 1 to 255 visible ASCII characters.', {
      errors: [{ path: 'Idempotency-Key', message: 'must be 1 to 255 visible ASCII characters' }],
    });
  }
  return { key: parsed.data, bodySha256: sha256Hex(canonicalJson(body)) };
}

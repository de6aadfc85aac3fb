import { type ClientMessage, ManuelError, type Ref, clientMessageSchema, toFieldErrors } from '@manuel/contracts';

export type ReadMessage =
  | { readonly kind: 'message'; readonly message: ClientMessage }
  /** `type` and `ref` as far as they can be told, for the answer. */
  | {
      readonly kind: 'wrong';
      readonly error: ManuelError;
      readonly type?: string | undefined;
      readonly ref?: Ref | undefined;
    };

const longestRef = 64;
const textOf = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined);

/** Reads one text message of a client. */
export function parseMessage(data: Buffer): ReadMessage {
  let value: unknown;
  try {
    value = JSON.parse(data.toString('utf8'));
  } catch (cause) {
    return { kind: 'wrong', error: new ManuelError('validation_failed', 'The message is no JSON.', { cause }) };
  }
  const parsed = clientMessageSchema.safeParse(value);
  if (parsed.success) return { kind: 'message', message: parsed.data };
  const errors = toFieldErrors(parsed.error);
  const [first] = errors;
  const where = first && first.path !== '' ? ` ${first.path}: ${first.message}.` : '';
  const { type, ref } = Object(value) as { type?: unknown; ref?: unknown };
  return {
    kind: 'wrong',
    error: new ManuelError('validation_failed', `The message is not valid.${where}`, { errors }),
    type: textOf(type),
    ref: typeof ref === 'number' ? ref : textOf(ref)?.slice(0, longestRef),
  };
}

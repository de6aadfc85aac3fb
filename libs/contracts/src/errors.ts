import { z } from 'zod';

/**
 * Every error code a client can meet. Stable: clients switch on them.
 * A new code must be given a status, a title and a retry hint in `errorCatalog`, or nothing compiles.
 */
export const errorCodes = [
  'validation_failed',
  'unauthenticated',
  'forbidden',
  'not_found',
  'method_not_allowed',
  'conflict',
  'rate_limited',
  'quota_exceeded',
  'queue_full',
  'too_many_jobs',
  'idempotency_mismatch',
  'idempotency_in_flight',
  'payload_too_large',
  'headers_too_large',
  'request_timeout',
  'unsupported_media_type',
  'signature_invalid',
  'ip_not_allowed',
  'unavailable',
  'timed_out',
  'cancelled',
  'expired',
  'upload_missing',
  'upload_mismatch',
  'audio_unreadable',
  'audio_too_long',
  'no_speech',
  'transcription_failed',
  'document_unreadable',
  'document_encrypted',
  'document_without_text',
  'fetch_failed',
  'fetch_refused',
  'indexing_failed',
  'upstream_failed',
  'internal',
] as const;

export type ErrorCode = (typeof errorCodes)[number];

export interface ErrorFacts {
  /** HTTP status of the problem. */
  readonly status: number;
  readonly title: string;
  /** True when the same request may succeed later without being changed. */
  readonly retryable: boolean;
}

export const errorCatalog: Record<ErrorCode, ErrorFacts> = {
  validation_failed: { status: 400, title: 'The request is not valid', retryable: false },
  unauthenticated: { status: 401, title: 'Sign in first', retryable: false },
  forbidden: { status: 403, title: 'Not allowed', retryable: false },
  not_found: { status: 404, title: 'Not found', retryable: false },
  method_not_allowed: { status: 405, title: 'Method not allowed', retryable: false },
  conflict: { status: 409, title: 'Conflicts with the present state', retryable: false },
  rate_limited: { status: 429, title: 'Too many requests', retryable: true },
  quota_exceeded: { status: 429, title: 'Quota used up', retryable: true },
  queue_full: { status: 503, title: 'The queue is full', retryable: true },
  too_many_jobs: { status: 429, title: 'Too many of your jobs are waiting', retryable: true },
  idempotency_mismatch: { status: 422, title: 'Idempotency key used with another body', retryable: false },
  idempotency_in_flight: {
    status: 409,
    title: 'The first request with this key is still being admitted',
    retryable: true,
  },
  payload_too_large: { status: 413, title: 'Too large', retryable: false },
  headers_too_large: { status: 431, title: 'Headers too large', retryable: false },
  request_timeout: { status: 408, title: 'The request came too slowly', retryable: true },
  unsupported_media_type: { status: 415, title: 'Type not supported', retryable: false },
  signature_invalid: { status: 401, title: 'Request signature not valid', retryable: false },
  ip_not_allowed: { status: 403, title: 'Address not allowed', retryable: false },
  unavailable: { status: 503, title: 'Temporarily unavailable', retryable: true },
  timed_out: { status: 504, title: 'Took too long', retryable: true },
  cancelled: { status: 409, title: 'Cancelled', retryable: false },
  expired: { status: 504, title: 'Expired before it could start', retryable: true },
  upload_missing: { status: 409, title: 'The upload never arrived', retryable: false },
  upload_mismatch: { status: 422, title: 'The upload differs from what was announced', retryable: false },
  audio_unreadable: { status: 422, title: 'The audio cannot be read', retryable: false },
  audio_too_long: { status: 422, title: 'The audio is too long', retryable: false },
  no_speech: { status: 422, title: 'No speech heard', retryable: false },
  transcription_failed: { status: 422, title: 'The speech could not be transcribed', retryable: false },
  document_unreadable: { status: 422, title: 'The document cannot be read', retryable: false },
  document_encrypted: { status: 422, title: 'The document is encrypted', retryable: false },
  document_without_text: { status: 422, title: 'The document has no text', retryable: false },
  fetch_failed: { status: 422, title: 'The address could not be fetched', retryable: true },
  fetch_refused: { status: 422, title: 'The address may not be fetched', retryable: false },
  indexing_failed: { status: 502, title: 'The manual could not be indexed', retryable: true },
  upstream_failed: { status: 502, title: 'A service we depend on failed', retryable: true },
  internal: { status: 500, title: 'Something went wrong on our side', retryable: true },
};

export interface FieldError {
  /** Where in the body, e.g. `question` or `manual_ids.0`. */
  readonly path: string;
  readonly message: string;
}

export interface ManuelErrorOptions {
  readonly cause?: unknown;
  /** Overrides the catalogue: whether the job may be tried again. */
  readonly retryable?: boolean;
  /** Milliseconds to wait before trying again; becomes `Retry-After`. */
  readonly retryAfterMs?: number;
  readonly errors?: readonly FieldError[];
}

/**
 * The one error of the domain, free of transport: what went wrong (`code`), what the user can do (`detail`, safe to show),
 * and whether trying again can help. Edges turn it into problem+json, workers into a retry or a failure.
 */
export class ManuelError extends Error {
  readonly code: ErrorCode;
  readonly detail: string;
  readonly retryable: boolean;
  readonly retryAfterMs: number | undefined;
  readonly errors: readonly FieldError[] | undefined;

  constructor(code: ErrorCode, detail: string, options: ManuelErrorOptions = {}) {
    super(detail, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'ManuelError';
    this.code = code;
    this.detail = detail;
    this.retryable = options.retryable ?? errorCatalog[code].retryable;
    this.retryAfterMs = options.retryAfterMs;
    this.errors = options.errors;
  }
}

/** RFC 9457 body, as api.md defines it. */
export const problemSchema = z.object({
  type: z.string(),
  title: z.string(),
  status: z.number().int(),
  code: z.enum(errorCodes),
  detail: z.string(),
  request_id: z.string(),
  retryable: z.boolean(),
  errors: z.array(z.object({ path: z.string(), message: z.string() })).optional(),
});
export type Problem = z.infer<typeof problemSchema>;

/** The problem a client sees. Anything but a ManuelError becomes `internal`, so that no stack or upstream text leaks. */
export function toProblem(error: unknown, requestId: string): Problem {
  const known =
    error instanceof ManuelError
      ? error
      : new ManuelError('internal', `Something went wrong on our side. Quote ${requestId} when you report it.`);
  const facts = errorCatalog[known.code];
  return {
    type: `urn:manuel:problem:${known.code}`,
    title: facts.title,
    status: facts.status,
    code: known.code,
    detail: known.detail,
    request_id: requestId,
    retryable: known.retryable,
    ...(known.errors && known.errors.length > 0 ? { errors: [...known.errors] } : {}),
  };
}

/** A zod failure as field errors, at most 20 of them. */
export function toFieldErrors(error: z.ZodError): FieldError[] {
  return error.issues.slice(0, 20).map((issue) => ({ path: issue.path.join('.'), message: issue.message }));
}

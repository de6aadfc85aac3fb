import { ManuelError, type ErrorCode } from '@manuel/contracts';
import { retryAfterOf } from './retry-after.ts';

interface KindFacts {
  readonly code: ErrorCode;
  /** Shown to clients: no upstream text, ARN or path. */
  readonly detail: string;
  readonly retryable: boolean;
  /** Whether it says that the upstream is ill, so that a breaker counts it. */
  readonly counts: boolean;
}

/** What an upstream's failure means to us. */
const kinds = {
  throttling: {
    code: 'unavailable',
    detail: 'A service we depend on is busy. Try again in a moment.',
    retryable: true,
    counts: true,
  },
  quota: {
    code: 'unavailable',
    detail: 'A service we depend on is at its limit. Try again in a few minutes.',
    retryable: true,
    counts: true,
  },
  not_ready: {
    code: 'unavailable',
    detail: 'A service we depend on is not ready at the moment. Try again shortly.',
    retryable: true,
    counts: true,
  },
  server: {
    code: 'unavailable',
    detail: 'A service we depend on failed. Try again in a moment.',
    retryable: true,
    counts: true,
  },
  connection: {
    code: 'unavailable',
    detail: 'A service we depend on cannot be reached. Try again in a moment.',
    retryable: true,
    counts: true,
  },
  timeout: {
    code: 'timed_out',
    detail: 'A service we depend on took too long. Try again in a moment.',
    retryable: true,
    counts: true,
  },
  model: {
    code: 'upstream_failed',
    detail: 'The model failed while it answered. Try again.',
    retryable: true,
    counts: true,
  },
  stream: {
    code: 'upstream_failed',
    detail: 'The answer broke off while it was being written. Try again.',
    retryable: true,
    counts: true,
  },
  validation: {
    code: 'upstream_failed',
    detail: 'A service we depend on refused the request. Trying again will not help; report it to support.',
    retryable: false,
    counts: false,
  },
  access: {
    code: 'upstream_failed',
    detail: 'We may not use a service we depend on. Trying again will not help; report it to support.',
    retryable: false,
    counts: false,
  },
  missing: {
    code: 'upstream_failed',
    detail: 'Something a service of ours needs is not set up. Trying again will not help; report it to support.',
    retryable: false,
    counts: false,
  },
  not_found: { code: 'not_found', detail: 'Not found.', retryable: false, counts: false },
  conflict: {
    code: 'conflict',
    detail: 'The request conflicts with one that is under way.',
    retryable: false,
    counts: false,
  },
  cancelled: { code: 'cancelled', detail: 'Cancelled.', retryable: false, counts: false },
  unknown: {
    code: 'internal',
    detail: 'Something went wrong on our side. Try again; if it persists, report it to support.',
    retryable: true,
    counts: false,
  },
} as const satisfies Record<string, KindFacts>;

export type FailureKind = keyof typeof kinds;

/**
 * Every error name of the services we use, as the SDK gives it in `error.name`; libs/aws tests that no exception that the
 * SDK's clients declare for our operations is missing. Names of Node's own network errors are in `nodeCodes`.
 */
export const awsErrorKinds: Readonly<Record<string, FailureKind>> = {
  ThrottlingException: 'throttling',
  Throttling: 'throttling',
  ThrottledException: 'throttling',
  KMSThrottlingException: 'throttling',
  TooManyRequestsException: 'throttling',
  ProvisionedThroughputExceededException: 'throttling',
  RequestLimitExceeded: 'throttling',
  BandwidthLimitExceeded: 'throttling',
  RequestThrottled: 'throttling',
  RequestThrottledException: 'throttling',
  SlowDown: 'throttling',
  PriorRequestNotComplete: 'throttling',
  TransactionInProgressException: 'throttling',
  EC2ThrottledException: 'throttling',

  ServiceQuotaExceededException: 'quota',
  LimitExceededException: 'quota',

  ModelNotReadyException: 'not_ready',

  InternalServerException: 'server',
  InternalServerError: 'server',
  InternalFailure: 'server',
  InternalFailureException: 'server',
  InternalErrorException: 'server',
  InternalError: 'server',
  ServiceUnavailable: 'server',
  ServiceUnavailableException: 'server',
  BadGatewayException: 'server',
  DependencyFailedException: 'server',

  ModelTimeoutException: 'timeout',
  RequestTimeout: 'timeout',
  RequestTimeoutException: 'timeout',
  TimeoutError: 'timeout',

  ModelErrorException: 'model',
  ModelStreamErrorException: 'stream',

  ValidationException: 'validation',
  ValidationError: 'validation',
  BadRequestException: 'validation',
  InvalidParameterException: 'validation',
  InvalidParameterValueException: 'validation',
  InvalidParameter: 'validation',
  InvalidRequest: 'validation',
  InvalidArgument: 'validation',
  InvalidRange: 'validation',
  InvalidObjectState: 'validation',
  InvalidWriteOffset: 'validation',
  TooManyParts: 'validation',
  EncryptionTypeMismatch: 'validation',
  EntityTooLarge: 'validation',
  EntityTooSmall: 'validation',
  BadDigest: 'validation',
  MalformedXML: 'validation',
  SerializationException: 'validation',
  ItemCollectionSizeLimitExceededException: 'validation',
  UserNotConfirmedException: 'validation',
  PasswordResetRequiredException: 'validation',
  InvalidPasswordException: 'validation',
  UnsupportedOperationException: 'validation',
  FilterPolicyLimitExceededException: 'validation',
  SubscriptionLimitExceededException: 'validation',
  TopicLimitExceededException: 'validation',
  TagLimitExceededException: 'validation',
  TagPolicyException: 'validation',
  StaleTagException: 'validation',
  InvalidStateException: 'validation',
  InvalidSecurityException: 'access',

  AccessDenied: 'access',
  AccessDeniedException: 'access',
  AuthorizationErrorException: 'access',
  NotAuthorizedException: 'access',
  UnauthorizedException: 'access',
  ForbiddenException: 'access',
  Forbidden: 'access',
  UnrecognizedClientException: 'access',
  IncompleteSignature: 'access',
  InvalidSignatureException: 'access',
  InvalidAccessKeyId: 'access',
  InvalidClientTokenId: 'access',
  InvalidToken: 'access',
  SignatureDoesNotMatch: 'access',
  MissingAuthenticationToken: 'access',
  MissingAuthenticationTokenException: 'access',
  ExpiredToken: 'access',
  ExpiredTokenException: 'access',
  OptInRequired: 'access',
  KMSAccessDeniedException: 'access',
  KMSOptInRequired: 'access',
  CredentialsProviderError: 'access',
  TokenProviderError: 'access',
  RequestExpired: 'access',
  RequestTimeTooSkewed: 'access',

  ResourceNotFoundException: 'missing',
  NoSuchBucket: 'missing',
  InvalidEndpointException: 'missing',
  KMSDisabledException: 'missing',
  KMSInvalidStateException: 'missing',
  KMSNotFoundException: 'missing',
  EndpointDisabledException: 'missing',
  PlatformApplicationDisabledException: 'missing',

  NoSuchKey: 'not_found',
  NoSuchUpload: 'not_found',
  NotFound: 'not_found',
  NotFoundException: 'not_found',
  UserNotFoundException: 'not_found',

  ConflictException: 'conflict',
  ConcurrentAccessException: 'conflict',
  ConcurrentModificationException: 'conflict',
  ConditionalCheckFailedException: 'conflict',
  PreconditionFailed: 'conflict',
  ConditionalRequestConflict: 'conflict',
  OperationAborted: 'conflict',
  TransactionConflictException: 'conflict',
  TransactionCanceledException: 'conflict',
  ReplicatedWriteConflictException: 'conflict',
  IdempotencyParameterMismatch: 'conflict',
  IdempotentParameterMismatchException: 'conflict',
  DuplicateItemException: 'conflict',
  ResourceInUseException: 'conflict',
  TableInUseException: 'conflict',
  TableAlreadyExistsException: 'conflict',
  BucketAlreadyExists: 'conflict',
  BucketAlreadyOwnedByYou: 'conflict',
  UsernameExistsException: 'conflict',

  AbortError: 'cancelled',
};

const nodeCodes: Readonly<Record<string, FailureKind>> = {
  ECONNRESET: 'connection',
  ECONNREFUSED: 'connection',
  ECONNABORTED: 'connection',
  EPIPE: 'connection',
  ENOTFOUND: 'connection',
  EAI_AGAIN: 'connection',
  EHOSTUNREACH: 'connection',
  ENETUNREACH: 'connection',
  ERR_STREAM_PREMATURE_CLOSE: 'connection',
  ERR_SSL_WRONG_VERSION_NUMBER: 'connection',
  CERT_HAS_EXPIRED: 'connection',
  ETIMEDOUT: 'timeout',
  ESOCKETTIMEDOUT: 'timeout',
  ERR_HTTP2_STREAM_ERROR: 'connection',
  ERR_HTTP2_ERROR: 'connection',
};

interface ErrorShape {
  readonly name?: unknown;
  readonly code?: unknown;
  readonly message?: unknown;
  readonly cause?: unknown;
  readonly $metadata?: { readonly httpStatusCode?: number };
}

const isShape = (value: unknown): value is ErrorShape => typeof value === 'object' && value !== null;

function ofStatus(status: number | undefined): FailureKind | undefined {
  if (status === undefined || status < 400) return undefined;
  if (status === 401 || status === 403) return 'access';
  if (status === 404) return 'not_found';
  if (status === 408 || status === 504) return 'timeout';
  if (status === 409 || status === 412) return 'conflict';
  if (status === 429) return 'throttling';
  return status >= 500 ? 'server' : 'validation';
}

/** What kind of failure an error of the SDK, of Node's network or of a stream is. */
export function failureKind(error: unknown): FailureKind {
  if (!isShape(error)) return 'unknown';
  const name = typeof error.name === 'string' ? error.name : '';
  const code = typeof error.code === 'string' ? error.code : '';
  const named = (text: string): FailureKind | undefined =>
    Object.hasOwn(awsErrorKinds, text) ? awsErrorKinds[text] : undefined;
  // An exception event of a stream may bear its name with a small first letter.
  const upper = name.charAt(0).toUpperCase() + name.slice(1);
  const known =
    named(name) ?? named(upper) ?? named(code) ?? (Object.hasOwn(nodeCodes, code) ? nodeCodes[code] : undefined);
  if (known) return known;
  const byStatus = ofStatus(error.$metadata?.httpStatusCode);
  if (byStatus) return byStatus;
  // Node reports a connection cut while a body is read as an error named `aborted`.
  if (error.message === 'aborted' || error.message === 'socket hang up') return 'connection';
  // A stream that ends in the middle of a message fails in the decoder.
  if (/Truncated event message|message checksum|premature/i.test(String(error.message))) return 'stream';
  return error.cause === undefined ? 'unknown' : failureKind(error.cause);
}

/** A failure and whether a breaker counts it. */
export interface ClassifiedFailure {
  readonly error: ManuelError;
  readonly kind: FailureKind;
  readonly counts: boolean;
}

/**
 * The error as ours, with `cause` kept for logs. A ManuelError passes unchanged; it counts as its cause does, or, without
 * one, when its code says that the upstream was at fault.
 */
export function classifyFailure(error: unknown): ClassifiedFailure {
  if (error instanceof ManuelError) {
    const kind = error.cause === undefined ? 'unknown' : failureKind(error.cause);
    const counts =
      kind === 'unknown'
        ? ['unavailable', 'timed_out', 'upstream_failed'].includes(error.code) && error.retryable
        : kinds[kind].counts;
    return { error, kind, counts };
  }
  const kind = failureKind(error);
  const facts = kinds[kind];
  const retryAfterMs = facts.retryable ? retryAfterOf(error) : undefined;
  return {
    kind,
    counts: facts.counts,
    error: new ManuelError(facts.code, facts.detail, {
      cause: error,
      retryable: facts.retryable,
      ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
    }),
  };
}

/** The error as ours: code, safe text, whether to try again and when. The cause is kept for logs. */
export const mapAwsError = (error: unknown): ManuelError => classifyFailure(error).error;

/** The error of a failure that has no error of AWS behind it. */
export const failureOf = (kind: FailureKind, options: { cause?: unknown; retryAfterMs?: number } = {}): ManuelError =>
  new ManuelError(kinds[kind].code, kinds[kind].detail, { retryable: kinds[kind].retryable, ...options });

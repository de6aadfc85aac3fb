import { ManuelError } from '@manuel/contracts';

/** What a failed call means for whoever made it. */
export type Failure = 'condition' | 'transient' | 'refused' | 'unreachable';

/** Answers of DynamoDB with status 400 that mean: later. */
const transientNames = new Set([
  'ThrottlingException',
  'ProvisionedThroughputExceededException',
  'RequestLimitExceeded',
]);
const refusedNames = new Set(['ValidationException', 'SerializationException', 'TypeError', 'RangeError']);

const field = (value: unknown, name: string): unknown =>
  typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined;

export const isConditionFailed = (error: unknown): boolean =>
  field(error, 'name') === 'ConditionalCheckFailedException';

/**
 * `condition`: the row was not as demanded. `transient`: trying again can help. `refused`: our request is wrong.
 * `unreachable`: no table, no permission, no credentials; trying again soon does not help.
 */
export function failureOf(error: unknown): Failure {
  if (isConditionFailed(error)) return 'condition';
  const name = String(field(error, 'name'));
  if (transientNames.has(name)) return 'transient';
  if (refusedNames.has(name)) return 'refused';
  const status = field(field(error, '$metadata'), 'httpStatusCode');
  if (typeof status === 'number') return status >= 500 || status === 429 ? 'transient' : 'unreachable';
  // No HTTP answer at all: the connection failed, or it was never tried for want of credentials.
  return name === 'CredentialsProviderError' ? 'unreachable' : 'transient';
}

/** The domain's error for a call that failed for good. */
export function toLedgerError(error: unknown, operation: string): ManuelError {
  if (error instanceof ManuelError) return error;
  if (failureOf(error) === 'refused') {
    return new ManuelError('internal', 'Something went wrong on our side while recording this.', {
      cause: error,
      retryable: false,
    });
  }
  return new ManuelError('unavailable', 'The record of jobs cannot be reached at the moment. Try again shortly.', {
    cause: new Error(`DynamoDB ${operation} failed`, { cause: error }),
    retryAfterMs: 2000,
  });
}

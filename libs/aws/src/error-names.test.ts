import * as bedrockAgent from '@aws-sdk/client-bedrock-agent';
import * as bedrockAgentRuntime from '@aws-sdk/client-bedrock-agent-runtime';
import * as bedrockRuntime from '@aws-sdk/client-bedrock-runtime';
import * as cognito from '@aws-sdk/client-cognito-identity-provider';
import * as s3 from '@aws-sdk/client-s3';
import * as sns from '@aws-sdk/client-sns';
import * as transcribe from '@aws-sdk/client-transcribe';
import * as transcribeStreaming from '@aws-sdk/client-transcribe-streaming';
import { expect, test } from '@jest/globals';
import { awsErrorKinds, failureKind, mapAwsError } from '@manuel/resilience';

/** Exceptions of operations that we do not use: annotations of S3, batches and phone numbers of SNS, the rest of Cognito. */
const notOurs: Readonly<Record<string, RegExp>> = {
  s3: /^(?:Annotation|InvalidAnnotation|NoSuchAnnotation|InvalidPrefix|Object(?:Already|Not)In|UnsupportedMediaType)/,
  sns: /^(?:Batch|EmptyBatch|InvalidBatch|TooManyEntries|OptedOut|UserError|Verification|ReplayLimit)/,
  cognito: /./,
};
const services = {
  bedrockAgent,
  bedrockAgentRuntime,
  bedrockRuntime,
  cognito,
  s3,
  sns,
  transcribe,
  transcribeStreaming,
};
/** Of Cognito only what AdminGetUser and the like may answer. */
const ofCognito = [
  'InternalErrorException',
  'InvalidParameterException',
  'NotAuthorizedException',
  'ResourceNotFoundException',
  'TooManyRequestsException',
  'UserNotFoundException',
];

/** Whether a class is an error, in whichever realm its module was loaded. */
function extendsError(made: unknown): boolean {
  let prototype: unknown = typeof made === 'function' ? made.prototype : null;
  while (typeof prototype === 'object' && prototype !== null) {
    if (prototype.constructor.name === 'Error') return true;
    prototype = Object.getPrototypeOf(prototype);
  }
  return false;
}

const exceptionsOf = (module: object): string[] =>
  Object.entries(module)
    .filter(
      ([name, value]) =>
        extendsError(value) && !/(?:Bedrock|S3|SNS|Transcribe|Provider)\w*ServiceException$/.test(name),
    )
    .map(([name]) => name);

test('every exception that the SDK declares for our operations has its place in the table', () => {
  const missing = Object.entries(services).flatMap(([service, module]) => {
    const declared = exceptionsOf(module).filter((name) => !notOurs[service]?.test(name));
    expect(exceptionsOf(module).length).toBeGreaterThan(3);
    return declared.filter((name) => !Object.hasOwn(awsErrorKinds, name)).map((name) => `${service}: ${name}`);
  });
  expect([...missing, ...ofCognito.filter((name) => !Object.hasOwn(awsErrorKinds, name))]).toEqual([]);
});

const error = (name: string, extra: object = {}): Error =>
  Object.assign(new Error('upstream words'), { name, ...extra });

test.each([
  [error('ThrottlingException'), 'throttling', 'unavailable', true],
  [error('throttlingException'), 'throttling', 'unavailable', true],
  [error('ServiceQuotaExceededException'), 'quota', 'unavailable', true],
  [error('ModelNotReadyException'), 'not_ready', 'unavailable', true],
  [error('ModelStreamErrorException'), 'stream', 'upstream_failed', true],
  [error('ValidationException'), 'validation', 'upstream_failed', false],
  [error('AccessDeniedException'), 'access', 'upstream_failed', false],
  [error('ResourceNotFoundException'), 'missing', 'upstream_failed', false],
  [error('NoSuchKey'), 'not_found', 'not_found', false],
  [error('TimeoutError'), 'timeout', 'timed_out', true],
  [error('Error', { code: 'ECONNRESET' }), 'connection', 'unavailable', true],
  [error('Error', { cause: error('Error', { code: 'ECONNREFUSED' }) }), 'connection', 'unavailable', true],
  [error('SomethingNew', { $metadata: { httpStatusCode: 503 } }), 'server', 'unavailable', true],
  [error('SomethingNew', { $metadata: { httpStatusCode: 429 } }), 'throttling', 'unavailable', true],
  [error('SomethingNew', { $metadata: { httpStatusCode: 418 } }), 'validation', 'upstream_failed', false],
  [error('constructor'), 'unknown', 'internal', true],
  ['text', 'unknown', 'internal', true],
] as const)('case %#', (thrown, kind, code, retryable) => {
  expect(failureKind(thrown)).toBe(kind);
  const mapped = mapAwsError(thrown);
  expect(mapped).toMatchObject({ code, retryable });
  expect(mapped.detail).not.toContain('upstream words');
  expect(mapped.cause).toBe(thrown);
});

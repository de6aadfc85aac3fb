import type { ServerResponse } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import type { Fault } from './chaos.ts';
import { failAfterEvents } from './event-stream-fault.ts';
import { AwsError } from './service.ts';
import type { AwsRequest, AwsServiceName } from './service.ts';

const stallMs = 15 * 60 * 1000;

/** Each service's own throttling error: code, message, status. */
const throttling: Readonly<Record<AwsServiceName, readonly [string, string, number]>> = {
  s3: ['SlowDown', 'Please reduce your request rate.', 503],
  dynamodb: [
    'com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException',
    'The level of configured provisioned throughput for the table was exceeded. Consider increasing your provisioning level with the UpdateTable API.',
    400,
  ],
  sns: ['Throttling', 'Rate exceeded', 400],
  'cognito-idp': ['TooManyRequestsException', 'Too many requests', 400],
  transcribe: [
    'LimitExceededException',
    'You have either sent too many requests or your input file is too long. Wait before retrying your request.',
    400,
  ],
  'bedrock-runtime': ['ThrottlingException', 'Too many requests, please wait before trying again.', 429],
  'bedrock-agent': ['ThrottlingException', 'Your request rate is too high. Reduce the frequency of requests.', 429],
  'bedrock-agent-runtime': [
    'ThrottlingException',
    'Your request rate is too high. Reduce the frequency of requests.',
    429,
  ],
};

/** Each service's own internal error: code, message, status. */
const failures: Readonly<Record<AwsServiceName, readonly [string, string, number]>> = {
  s3: ['InternalError', 'We encountered an internal error. Please try again.', 500],
  dynamodb: [
    'com.amazonaws.dynamodb.v20120810#InternalServerError',
    'The request processing has failed because of an unknown error.',
    500,
  ],
  sns: ['InternalError', 'Internal service error', 500],
  'cognito-idp': ['InternalErrorException', 'Something went wrong', 500],
  transcribe: [
    'InternalFailureException',
    'There was an internal error. Check the error message, correct the issue, and try your request again.',
    500,
  ],
  'bedrock-runtime': [
    'InternalServerException',
    'The server encountered an unexpected error that prevented it from fulfilling the request.',
    500,
  ],
  'bedrock-agent': ['InternalServerException', 'An internal server error occurred. Retry your request.', 500],
  'bedrock-agent-runtime': ['InternalServerException', 'An internal server error occurred. Retry your request.', 500],
};

/**
 * Makes the request meet the fault.
 * Answers `served` when the ordinary answer shall follow, `done` when nothing more is to be sent.
 * Throws the AwsError of `throttle` and `error`.
 */
export async function applyFault(
  fault: Fault,
  request: AwsRequest,
  response: ServerResponse,
): Promise<'serve' | 'done'> {
  if (fault.latency_ms !== undefined && !(await waited(fault.latency_ms, request.signal))) return 'done';
  const [code, message, status] = fault.fault === 'throttle' ? throttling[fault.service] : failures[fault.service];
  const error = new AwsError(code, message, status);
  if (fault.after_events !== undefined && fault.fault !== 'latency') {
    failAfterEvents(response, fault.after_events, fault.fault, error, fault.service);
    return 'serve';
  }
  switch (fault.fault) {
    case 'latency':
      return 'serve';
    case 'throttle':
    case 'error':
      throw error;
    case 'reset':
      request.raw.socket.resetAndDestroy();
      return 'done';
    case 'timeout':
      request.raw.resume();
      await waited(stallMs, request.signal);
      request.raw.socket.destroy();
      return 'done';
  }
}

/** False when the client left while we waited. */
async function waited(ms: number, signal: AbortSignal): Promise<boolean> {
  try {
    await delay(ms, undefined, { signal, ref: false });
    return true;
  } catch (error) {
    if (signal.aborted) return false;
    throw error;
  }
}

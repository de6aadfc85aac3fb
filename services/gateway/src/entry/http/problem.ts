import type { ServerResponse } from 'node:http';
import type { ErrorRequestHandler, RequestHandler } from 'express';
import { ManuelError, type Problem, toProblem } from '@manuel/contracts';
import type { Logger } from '@manuel/telemetry';
import { stateOf } from './request-state.ts';
import { type Headers, sendJson } from './send.ts';

const unavailableRetryMs = 2000;

/** Headers that a code brings along. */
export function headersOf(error: ManuelError, status: number): Headers {
  const headers: Record<string, string> = {};
  if (status === 401) {
    headers['WWW-Authenticate'] =
      error.code === 'unauthenticated' ? 'Bearer realm="manuel"' : 'Signature realm="manuel"';
  }
  const waitMs = error.retryAfterMs ?? (status === 503 ? unavailableRetryMs : undefined);
  if (waitMs !== undefined) headers['Retry-After'] = String(Math.max(1, Math.ceil(waitMs / 1000)));
  return headers;
}

export function sendProblem(response: ServerResponse, problem: Problem, headers: Headers = {}): void {
  sendJson(response, problem.status, problem, { ...headers, 'Cache-Control': 'no-store' }, 'application/problem+json');
}

const tooLarge = (limit = Number.NaN): string =>
  `The body is larger than ${Number.isNaN(limit) ? 'this server takes' : `${limit / 2 ** 20} MB`}. Upload files with POST /api/uploads.`;

/** What body-parser and Express themselves refuse, by their `type` or status. */
function fromExpress(error: Error): ManuelError | undefined {
  const type = 'type' in error ? error.type : undefined;
  const status = 'status' in error ? error.status : undefined;
  const cause = { cause: error };
  switch (type) {
    case 'entity.too.large':
      return new ManuelError('payload_too_large', tooLarge('limit' in error ? Number(error.limit) : undefined), cause);
    case 'entity.parse.failed':
      return new ManuelError('validation_failed', 'The body is not valid JSON.', cause);
    case 'encoding.unsupported':
    case 'charset.unsupported':
      return new ManuelError('unsupported_media_type', 'Send the body as UTF-8 JSON, plain or gzip-encoded.', cause);
    case 'request.aborted':
    case 'request.size.invalid':
      return new ManuelError('validation_failed', 'The body ended before its announced length.', cause);
    default:
      break;
  }
  if (status !== 400) return undefined;
  if (error instanceof URIError) {
    const detail = 'The address has a % that encodes nothing: write %25 where one is meant.';
    return new ManuelError('validation_failed', detail, cause);
  }
  return new ManuelError('validation_failed', 'The body is not compressed as Content-Encoding says.', cause);
}

/** Any error as the one that a client may see. */
export const toManuelError = (error: unknown): ManuelError | undefined =>
  error instanceof ManuelError ? error : error instanceof Error ? fromExpress(error) : undefined;

/** The one place where an error becomes an answer. */
export function problemHandler(logger: Logger): ErrorRequestHandler {
  return (error: unknown, request, response, _next) => {
    const { requestId } = stateOf(request);
    const known = toManuelError(error);
    if (!known || known.code === 'internal') logger.error('request failed', { error });
    else if (known.cause !== undefined && known.code !== 'validation_failed') {
      logger.warn('request refused', { code: known.code, error: known.cause });
    }
    if (response.headersSent) {
      // Half an answer is out: only a cut connection tells the client that it is not whole.
      response.destroy();
      return;
    }
    const problem = toProblem(known ?? error, requestId);
    sendProblem(response, problem, known ? headersOf(known, problem.status) : {});
  };
}

export const unknownPath: RequestHandler = (request) => {
  if (request.path === '/ws')
    throw new ManuelError('not_found', 'Only WebSockets are at /ws: connect with an upgrade.');
  throw new ManuelError('not_found', `There is nothing at ${request.path.slice(0, 200)}. See /docs.`);
};

import type { RequestHandler } from 'express';
import { withLogContext } from '@manuel/telemetry';
import type { Gateway } from '../../context.ts';
import { addHeader, gatherHeaders } from './gathered-headers.ts';
import { requestIdFrom, traceparentFrom } from './request-id.ts';
import { type RequestState, rememberState } from './request-state.ts';

/** Paths that are asked all the time and say nothing. */
const quiet = new Set(['/livez', '/readyz', '/metrics']);

type BeginParts = Pick<Gateway, 'logger' | 'metrics' | 'performance'>;

/** First middleware: request id, trace, log context; one log line and one observation when the answer is out. */
export function beginRequest({ logger, metrics, performance: window }: BeginParts): RequestHandler {
  return (request, response, next) => {
    const requestId = requestIdFrom(request.headers['x-request-id']);
    const traceparent = traceparentFrom(request.headers.traceparent);
    const startedAt = performance.now();
    const state: RequestState = { requestId, traceparent, startedAt, route: 'unknown', identity: undefined };
    rememberState(request, state);
    gatherHeaders(response);
    addHeader(response, 'X-Request-Id', requestId);
    if (traceparent !== undefined) addHeader(response, 'traceparent', traceparent);
    response.once('close', () => {
      const durationMs = performance.now() - startedAt;
      const { method } = request;
      const { route, identity } = state;
      const status = response.writableFinished ? response.statusCode : 499;
      metrics.time('http_request_seconds', 'Time to answer', durationMs / 1000, { method, route, status });
      if (quiet.has(route)) return;
      window.note(durationMs, status);
      logger.info('request', {
        method,
        route,
        status,
        duration_ms: Math.round(durationMs * 100) / 100,
        request_id: requestId,
        ...(identity ? { user_id: identity.userId } : {}),
      });
    });
    withLogContext(
      traceparent === undefined ? { request_id: requestId } : { request_id: requestId, traceparent },
      next,
    );
  };
}

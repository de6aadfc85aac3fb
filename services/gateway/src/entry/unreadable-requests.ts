import { randomUUID } from 'node:crypto';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { ManuelError, toProblem } from '@manuel/contracts';
import { sendProblem } from './http/problem.ts';
import { endWithProblem } from './http/raw-problem.ts';

const kilobytes = (bytes: number): string => `${Math.round(bytes / 1024)} KB`;

/** What Node's parser says, as a problem. */
function problemOf(code: string | undefined, largestHeaders: number): ManuelError {
  switch (code) {
    case 'HPE_HEADER_OVERFLOW':
      return new ManuelError(
        'headers_too_large',
        `Address and headers together may have ${kilobytes(largestHeaders)}. Send less.`,
      );
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return new ManuelError('request_timeout', 'The request did not arrive in time. Send it again.');
    default:
      return new ManuelError('validation_failed', 'The request cannot be read: it is not HTTP/1.1 as it should be.');
  }
}

/** HTTP/1.1 asks for it (RFC 9112, 3.2). */
export const namesHost = ({ headers, httpVersion }: IncomingMessage): boolean =>
  headers.host !== undefined || httpVersion === '1.0';

export function refuseHostless(response: ServerResponse): void {
  const requestId = randomUUID();
  const problem = toProblem(new ManuelError('validation_failed', 'The Host header is missing.'), requestId);
  sendProblem(response, problem, { 'X-Request-Id': requestId, Connection: 'close' });
}

/**
 * Answers what never becomes a request of the app (malformed, too large headers, too slow) with a problem as well.
 * `answering`: the response that is under way on a socket, if any.
 */
export function answerUnreadable(
  server: Server,
  largestHeaders: number,
  answering: (socket: Socket) => ServerResponse | undefined,
): void {
  server.on('clientError', (error: NodeJS.ErrnoException, socket: Socket) => {
    // The client is gone, or has half an answer, of which only a cut connection tells that it is not whole.
    if (error.code === 'ECONNRESET' || !socket.writable || answering(socket)?.headersSent === true) {
      socket.destroy();
      return;
    }
    endWithProblem(socket, problemOf(error.code, largestHeaders), randomUUID());
  });
  // An expectation that we do not know is no reason to refuse (RFC 9110, 10.1.1).
  server.on('checkExpectation', (request: IncomingMessage, response: ServerResponse) => {
    server.emit('request', request, response);
  });
}

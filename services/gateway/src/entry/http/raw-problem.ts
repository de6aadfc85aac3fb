import type { Duplex } from 'node:stream';
import { ManuelError, type Problem, toProblem } from '@manuel/contracts';
import { headersOf } from './problem.ts';
import type { Headers } from './send.ts';

/** A problem on a socket for which there is no response object (an upgrade, a request that cannot be read); ends the socket. */
export function endWithProblem(socket: Duplex, error: unknown, requestId: string): void {
  const problem: Problem = toProblem(error, requestId);
  const body = JSON.stringify(problem);
  const headers: Headers = {
    'Content-Type': 'application/problem+json',
    'Content-Length': String(Buffer.byteLength(body)),
    'X-Request-Id': requestId,
    Connection: 'close',
    ...(error instanceof ManuelError ? headersOf(error, problem.status) : {}),
  };
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
  socket.end(`HTTP/1.1 ${problem.status} ${problem.title}\r\n${lines.join('\r\n')}\r\n\r\n${body}`);
}

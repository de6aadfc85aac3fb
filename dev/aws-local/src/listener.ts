import { once } from 'node:events';
import { createServer as createHttp1Server } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer as createHttp2Server } from 'node:http2';
import type { Http2ServerRequest, Http2ServerResponse } from 'node:http2';
import { createServer } from 'node:net';
import type { Server, Socket } from 'node:net';

/** Longer than any client's own keep-alive, so that it is always the client that closes an idle connection. */
const keepAliveMs = 65_000;
const http2Preface = Buffer.from('PRI * HTTP/2.0');

type Handler = (request: IncomingMessage, response: ServerResponse) => void;

export interface Listener {
  readonly port: number;
  /** Refuses new connections, gives running requests `graceMs` to end and cuts what is left. */
  close(graceMs: number): Promise<void>;
}

/**
 * Serves HTTP/1.1 and HTTP/2 without TLS on one port: the SDK speaks HTTP/2 to Bedrock's runtimes, with no word of it
 * before, and HTTP/1.1 to everything else. The first bytes of a connection tell which it is.
 */
export async function listen(handler: Handler, port: number, host: string): Promise<Listener> {
  const sockets = new Set<Socket>();
  const running = new Set<ServerResponse>();
  const serve: Handler = (request, response) => {
    running.add(response);
    response.once('close', () => running.delete(response));
    handler(request, response);
  };
  const http1 = createHttp1Server({ keepAliveTimeout: keepAliveMs, requestTimeout: 0 }, serve);
  // Node's compatibility layer gives HTTP/2 requests and responses the members of the HTTP/1 ones that are used here.
  const http2 = createHttp2Server((request: Http2ServerRequest, response: Http2ServerResponse) =>
    serve(request as unknown as IncomingMessage, response as unknown as ServerResponse),
  );
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
    socket.once('error', () => socket.destroy()); // a client that breaks off; there is nobody left to tell
    socket.once('readable', () => {
      const start: Buffer | null = socket.read();
      if (start === null) return;
      socket.unshift(start);
      const isHttp2 = start.subarray(0, http2Preface.length).equals(http2Preface);
      (isHttp2 ? http2 : http1).emit('connection', socket);
    });
  });
  await begin(server, port, host);
  return {
    port: portOf(server),
    async close(graceMs) {
      const closed = once(server, 'close');
      server.close();
      const deadline = AbortSignal.timeout(graceMs);
      while (running.size > 0 && !deadline.aborted) await settled(running, deadline);
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}

async function begin(server: Server, port: number, host: string): Promise<void> {
  server.listen(port, host);
  await once(server, 'listening');
}

function portOf(server: Server): number {
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the server has no port');
  return address.port;
}

/** Resolves when one of the responses is over, or at the deadline. */
function settled(running: ReadonlySet<ServerResponse>, deadline: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    for (const response of running) response.once('close', resolve);
    deadline.addEventListener('abort', () => resolve(), { once: true });
  });
}

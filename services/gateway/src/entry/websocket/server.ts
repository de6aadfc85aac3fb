import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { ManuelError } from '@manuel/contracts';
import { WebSocketServer } from 'ws';
import type { Gateway } from '../../context.ts';
import type { Identity } from '../../domain/caller.ts';
import { bearerToken } from '../http/authenticate.ts';
import { createOriginCheck } from '../http/cors.ts';
import { toManuelError } from '../http/problem.ts';
import type { RateLimits } from '../http/rate-limit.ts';
import { endWithProblem } from '../http/raw-problem.ts';
import { requestIdFrom, traceparentFrom } from '../http/request-id.ts';
import { Connection } from './connection.ts';
import { closeCodes } from './send.ts';

/** Two seconds of the largest sound there is; text may be smaller still. */
const largestFrame = 256 * 1024;

export interface WebSockets {
  /** Takes over an upgrade of the HTTP server. */
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void;
  /** Closes every socket with 1001 and takes no more. Resolves when what was said into a live microphone is accepted. */
  close(): Promise<void>;
}

export interface UpgradeChecks {
  /** By the client's address, from the trusted proxy hops; throws `ip_not_allowed` and `rate_limited`. */
  readonly checkAddress: (request: IncomingMessage) => void;
}

/** `/ws`: who may connect, and the heart of all connections (one timer, however many). */
export function createWebSockets(gateway: Gateway, limits: RateLimits, checks: UpgradeChecks): WebSockets {
  const { settings, logger, metrics } = gateway;
  const server = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    maxPayload: largestFrame,
    // A window of 32 KB for each of thousands of idle sockets buys little for short messages.
    perMessageDeflate: false,
  });
  const connections = new Set<Connection>();
  const originAllowed = createOriginCheck(settings.cors.origins);
  const heart = setInterval(() => {
    for (const connection of connections) connection.beat();
  }, settings.events.ping_interval_ms);
  heart.unref();
  metrics.onScrape(() => metrics.gauge('websocket_connections', 'Open WebSockets', connections.size));

  /** The header for native clients; the ticket for browsers, used up by this. */
  async function identify(request: IncomingMessage, url: URL): Promise<Identity> {
    const ticket = url.searchParams.get('ticket');
    if (request.headers.authorization !== undefined || ticket === null)
      return gateway.tokens.verify(bearerToken(request));
    const identity = await gateway.tickets.redeem(ticket);
    if (!identity) throw new ManuelError('unauthenticated', 'The ticket is unknown, used or expired. Get a new one.');
    return identity;
  }

  async function admit(request: IncomingMessage): Promise<Identity> {
    const url = new URL(request.url ?? '/', 'http://gateway');
    if (url.pathname !== '/ws') throw new ManuelError('not_found', 'WebSockets are at /ws.');
    if (gateway.stopping.aborted) throw new ManuelError('unavailable', 'This gateway is stopping. Connect again.');
    checks.checkAddress(request);
    const { origin } = request.headers;
    if (origin !== undefined && !originAllowed(origin)) {
      throw new ManuelError('forbidden', 'Pages of this origin may not connect.');
    }
    const identity = await identify(request, url);
    await limits.countMessage(identity.userId);
    return identity;
  }

  function refuse(socket: Duplex, error: unknown, requestId: string): void {
    const known = toManuelError(error);
    if (!known) logger.error('a WebSocket could not be opened', { request_id: requestId, error });
    endWithProblem(socket, known ?? error, requestId);
  }

  // Bears it like every other answer.
  const requestIds = new WeakMap<IncomingMessage, string>();
  server.on('headers', (headers, request) => {
    headers.push(`X-Request-Id: ${requestIds.get(request) ?? ''}`);
  });
  server.on('wsClientError', (cause, socket, request) => {
    const detail = 'This is no WebSocket handshake: send a GET with version 13 and a Sec-WebSocket-Key.';
    refuse(socket, new ManuelError('validation_failed', detail, { cause }), requestIds.get(request) ?? '');
  });

  return {
    upgrade(request, socket, head) {
      const requestId = requestIdFrom(request.headers['x-request-id']);
      requestIds.set(request, requestId);
      const traceparent = traceparentFrom(request.headers.traceparent);
      const onError = (error: Error): void => logger.debug('an upgrade broke', { request_id: requestId, error });
      socket.on('error', onError);
      admit(request).then(
        (identity) => {
          socket.off('error', onError);
          server.handleUpgrade(request, socket, head, (webSocket) => {
            const caller = { ...identity, requestId, ...(traceparent === undefined ? {} : { traceparent }) };
            const connection = new Connection(gateway, limits, webSocket, caller);
            connections.add(connection);
            webSocket.once('close', () => {
              void connection.settled().then(() => connections.delete(connection));
            });
          });
        },
        (error: unknown) => refuse(socket, error, requestId),
      );
    },
    async close() {
      clearInterval(heart);
      server.close();
      const reason = 'the gateway is stopping';
      await Promise.all([...connections].map((connection) => connection.close(closeCodes.goingAway, reason)));
    },
  };
}

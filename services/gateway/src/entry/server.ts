import { type Server, type ServerResponse, createServer } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { Request, Response } from 'express';
import type { Gateway } from '../context.ts';
import { createApp } from './app.ts';
import { browserOrigins } from './browser-origins.ts';
import { addressRefused, createAllowlist } from './http/allowlist.ts';
import { clientAddress } from './http/client-address.ts';
import { expressMessages } from './http/express-messages.ts';
import { createRateLimits } from './http/rate-limit.ts';
import { answerUnreadable, namesHost, refuseHostless } from './unreadable-requests.ts';
import { createWebSockets } from './websocket/server.ts';

export interface GatewayServer {
  readonly url: string;
  readonly port: number;
  /** Takes no more connections, lets what runs end, cuts what is left when the time is over. */
  close(): Promise<void>;
}

/** Longer than the 60 s of common load balancers, so that it is never us who close a connection that is about to be used. */
const keepAliveMs = 65_000;
const headersTimeoutMs = 20_000;
/** Time for a whole request to arrive: 50 MB over a slow line. */
const requestTimeoutMs = 120_000;
/** Bytes of address and headers together; Node's own default. */
const largestHeaders = 16 * 1024;
/** Kept back of the time to stop, for closing what the gateway holds. */
const closingReserveMs = 2000;
/** A client that does not close its half by then is cut. */
const idleSweepMs = 1000;

/** Listens on `http.port` (0: any free one). */
export async function startServer(gateway: Gateway): Promise<GatewayServer> {
  const { settings } = gateway;
  const limits = createRateLimits(gateway.counter, settings.rate_limit.requests, settings.http.trusted_proxies);
  const app = createApp(gateway, limits, await browserOrigins(gateway));
  // What a connection is busy with is noted in its entry, which stays. In a map of its own, stirred with every request, it would
  // cost a tenth of one: the tables such a map has outgrown keep what they held from the garbage collector.
  const open = new Map<Socket, { busy: ServerResponse | undefined }>();
  const server = createServer(
    {
      ...expressMessages(app),
      keepAliveTimeout: keepAliveMs,
      headersTimeout: headersTimeoutMs,
      requestTimeout: requestTimeoutMs,
      maxHeaderSize: largestHeaders,
      // Checked below, so that the refusal is a problem as well.
      requireHostHeader: false,
      // Some clients offer HTTP/2 with every request: no reason not to answer in HTTP/1.1.
      shouldUpgradeCallback: ({ headers }) => headers.upgrade?.toLowerCase() === 'websocket',
    },
    (request, response) => {
      if (gateway.stopping.aborted) response.setHeader('Connection', 'close');
      const { socket } = request;
      const connection = open.get(socket);
      if (connection) connection.busy = response;
      response.once('close', () => {
        if (connection?.busy === response) connection.busy = undefined;
        if (gateway.stopping.aborted) socket.end();
      });
      if (!namesHost(request)) {
        refuseHostless(response);
        return;
      }
      // Safe: Express makes its own of them. Given what comes last, it need not make that for each request.
      app(request as Request, response as Response, (error?: unknown) => {
        gateway.logger.error('a request was answered by nobody', { error });
        response.destroy();
      });
    },
  );
  answerUnreadable(server, largestHeaders, (socket) => open.get(socket)?.busy);
  server.on('connection', (socket) => {
    open.set(socket, { busy: undefined });
    socket.once('close', () => open.delete(socket));
  });
  // A WebSocket ends in its own way.
  server.on('upgrade', (_request, socket: Socket) => open.delete(socket));
  const addressAllowed = createAllowlist(settings.ip_allowlist);
  const webSockets = createWebSockets(gateway, limits, {
    checkAddress: (request) => {
      const address = clientAddress(request, settings.http.trusted_proxies);
      if (!addressAllowed(address)) throw addressRefused();
      limits.countUpgrade(address);
    },
  });
  server.on('upgrade', webSockets.upgrade);
  await listen(server, settings.http.port, settings.http.host);
  // A listening TCP server always has an AddressInfo.
  const { port } = server.address() as AddressInfo;
  const host = settings.http.host.includes(':') ? `[${settings.http.host}]` : settings.http.host;
  return {
    url: `http://${host === '0.0.0.0' || host === '[::]' ? '127.0.0.1' : host}:${port}`,
    port,
    async close() {
      gateway.stop();
      const silent = webSockets.close();
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      // Ended, not destroyed: what is still on its way to the client arrives.
      for (const [socket, { busy }] of open) if (!busy) socket.end();
      const idle = setInterval(() => server.closeIdleConnections(), idleSweepMs);
      const late = Promise.withResolvers<void>();
      const cut = setTimeout(
        () => {
          late.resolve();
          server.closeAllConnections();
        },
        Math.max(0, settings.http.shutdown_ms - closingReserveMs),
      );
      await Promise.all([closed, Promise.race([silent, late.promise])]);
      clearTimeout(cut);
      clearInterval(idle);
    },
  };
}

function listen(server: Server, port: number, host: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.off('error', reject);
      resolve();
    });
  });
}

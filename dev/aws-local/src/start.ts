import { once } from 'node:events';
import type { Server } from 'node:http';
import { CallCounter } from './calls.ts';
import { Chaos } from './chaos.ts';
import type { AwsLocalOptions } from './options.ts';
import { createAwsServer } from './server.ts';
import type { Application } from './server.ts';
import { createServices } from './services.ts';

const closeGraceMs = 2000;

export type { AwsLocalOptions } from './options.ts';

export interface AwsLocal {
  /** What `AWS_ENDPOINT_URL` has to be. */
  readonly endpoint: string;
  readonly port: number;
  /** What `GET /_config` answers. */
  readonly config: Readonly<Record<string, string>>;
  /** Lets running requests end for two seconds, cuts the rest and flushes to disk. */
  close(): Promise<void>;
}

/** Starts all services on one port; resolves when they answer. */
export async function startAwsLocal(options: AwsLocalOptions): Promise<AwsLocal> {
  const host = options.host ?? '127.0.0.1';
  const application = Promise.withResolvers<Application>();
  const server = createAwsServer(application.promise);
  const port = await listen(server, options.port ?? 0, host);
  const endpoint = `http://${host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host}:${port}`;
  try {
    const { services, config, topics, close } = await createServices(options, endpoint);
    application.resolve({
      services: new Map(services.map((service) => [service.name, service])),
      controls: {
        chaos: new Chaos(),
        calls: new CallCounter(),
        messages: { list: () => topics.messages(), clear: () => topics.clearMessages() },
        config,
      },
      log: (message, fields) => options.log?.(message, fields),
    });
    return { endpoint, port, config, close: () => closeServer(server).then(close) };
  } catch (error) {
    application.reject(error);
    await closeServer(server);
    throw error;
  }
}

async function listen(server: Server, port: number, host: string): Promise<number> {
  server.listen(port, host);
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the server has no port');
  return address.port;
}

async function closeServer(server: Server): Promise<void> {
  const closed = once(server, 'close');
  server.close();
  server.closeIdleConnections();
  const timer = setTimeout(() => server.closeAllConnections(), closeGraceMs);
  await closed;
  clearTimeout(timer);
}

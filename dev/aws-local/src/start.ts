import { CallCounter } from './calls.ts';
import { Chaos } from './chaos.ts';
import { listen } from './listener.ts';
import type { AwsLocalOptions } from './options.ts';
import { createHandler } from './server.ts';
import type { Application } from './server.ts';
import { createServices } from './services.ts';

const closeGraceMs = 2000;

export type { AwsLocalOptions } from './options.ts';

export interface AwsLocal extends AsyncDisposable {
  /** What `AWS_ENDPOINT_URL` has to be. */
  readonly endpoint: string;
  readonly port: number;
  /** What `GET /_config` answers. */
  readonly config: Readonly<Record<string, string>>;
  /** Gives running requests time to end, cuts the rest and flushes to disk. */
  close(): Promise<void>;
}

/** Starts all services on one port; resolves when they answer. */
export async function startAwsLocal(options: AwsLocalOptions): Promise<AwsLocal> {
  const host = options.host ?? '127.0.0.1';
  const application = Promise.withResolvers<Application>();
  const listener = await listen(createHandler(application.promise), options.port ?? 0, host);
  const { port } = listener;
  const endpoint = `http://${host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host}:${port}`;
  try {
    const { services, config, topics, close } = await createServices(options, options.publicEndpoint ?? endpoint);
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
    const stop = (): Promise<void> => listener.close(options.closeGraceMs ?? closeGraceMs).then(close);
    return { endpoint, port, config, close: stop, [Symbol.asyncDispose]: stop };
  } catch (error) {
    application.reject(error);
    await listener.close(0);
    throw error;
  }
}

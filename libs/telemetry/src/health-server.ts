import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Metrics } from './metrics.ts';

export interface HealthChecks {
  /** Progress: false means restart me. */
  readonly live: () => Promise<{ ok: boolean; detail?: Record<string, unknown> }>;
  /** Dependencies: throws while one is missing. */
  readonly ready: () => Promise<void>;
}

export interface HealthServer {
  readonly port: number;
  close(): Promise<void>;
}

const checkLimitMs = 2000;

async function within<T>(work: Promise<T>, ms: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${ms} ms`)), ms);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** The answer to a probe: 200 or 503, and why. A check that hangs counts as failed after two seconds. */
export async function probe(
  kind: 'live' | 'ready',
  checks: HealthChecks,
): Promise<{ status: 200 | 503; body: Record<string, unknown> }> {
  try {
    if (kind === 'ready') {
      await within(checks.ready(), checkLimitMs);
      return { status: 200, body: { status: 'ready' } };
    }
    const { ok, detail } = await within(checks.live(), checkLimitMs);
    return { status: ok ? 200 : 503, body: { status: ok ? 'live' : 'stuck', ...detail } };
  } catch (error) {
    return {
      status: 503,
      body: { status: 'unavailable', reason: error instanceof Error ? error.message : String(error) },
    };
  }
}

/** `/livez`, `/readyz` and `/metrics` of a worker. Port 0 takes any free one. */
export async function startHealthServer(
  options: { readonly port: number; readonly host: string; readonly metrics: Metrics } & HealthChecks,
): Promise<HealthServer> {
  const server = createServer((request, response) => {
    const answer = async (): Promise<void> => {
      const path = (request.url ?? '/').split('?')[0];
      if (path === '/metrics') {
        response.writeHead(200, { 'content-type': options.metrics.contentType }).end(await options.metrics.text());
      } else if (path === '/livez' || path === '/readyz') {
        const { status, body } = await probe(path === '/livez' ? 'live' : 'ready', options);
        response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
      } else {
        response.writeHead(404, { 'content-type': 'application/json' }).end('{"status":"not found"}');
      }
    };
    answer().catch((error: unknown) => {
      response.destroy(error instanceof Error ? error : new Error(String(error)));
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port, options.host, resolve);
  });
  return {
    // A listening TCP server always has an AddressInfo.
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import type { Settings } from '@manuel/settings';
import { NodeHttpHandler } from '@smithy/node-http-handler';

/** What every SDK client is made with; a plain object to spread. Each call makes a connection pool of its own: one a client. */
export interface ClientOptions {
  readonly region: string;
  readonly maxAttempts: 1;
  readonly requestHandler: NodeHttpHandler;
}

/**
 * Options of an SDK client: our region, keep-alive connections (`pool.*`), time limits, and no retries, because
 * @manuel/resilience retries by our own policies. Where AWS is (AWS itself, or AWS on this machine) comes from the SDK's
 * own `AWS_ENDPOINT_URL*` variables alone.
 *
 * The handler speaks HTTP/1.1: clients of Bedrock would otherwise insist on HTTP/2, where one lost connection takes every
 * stream on it along.
 */
export function clientOptions(settings: Pick<Settings, 'region' | 'pool'>): ClientOptions {
  const agent = { keepAlive: true, maxSockets: settings.pool.max_connections };
  return {
    region: settings.region,
    maxAttempts: 1,
    requestHandler: new NodeHttpHandler({
      connectionTimeout: settings.pool.connect_timeout_ms,
      // Silence, not total time: a long stream of an answer is healthy, a mute connection is not.
      socketTimeout: settings.pool.read_timeout_ms,
      httpAgent: new HttpAgent(agent),
      httpsAgent: new HttpsAgent(agent),
    }),
  };
}

export interface S3ClientOptions extends ClientOptions {
  readonly forcePathStyle: true;
  readonly requestChecksumCalculation: 'WHEN_REQUIRED';
  readonly responseChecksumValidation: 'WHEN_REQUIRED';
}

/**
 * The same for S3. Paths instead of host names for buckets: that works on AWS and on an endpoint that is only an address,
 * so there is one way and no switch. Checksums only where S3 asks for them: the default sends bodies in chunks with
 * trailers, which presigned uploads and some S3-compatible stores refuse.
 */
export function s3ClientOptions(settings: Pick<Settings, 'region' | 'pool'>): S3ClientOptions {
  return {
    ...clientOptions(settings),
    forcePathStyle: true,
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
  };
}

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CallCounter } from '../../calls.ts';
import { Chaos } from '../../chaos.ts';
import { listen } from '../../listener.ts';
import { createHandler } from '../../server.ts';
import type { AwsService, AwsServiceOptions } from '../../service.ts';

export interface ServedService {
  readonly endpoint: string;
  readonly dataDir: string;
  /** What lies in S3, `bucket/key` to content. */
  readonly objects: Map<string, Buffer>;
  /** Client settings that point an SDK client here. */
  readonly client: {
    region: string;
    endpoint: string;
    credentials: { accessKeyId: string; secretAccessKey: string };
    maxAttempts: number;
  };
  readonly chaos: Chaos;
  /** Ends the service and makes it anew on the same folder, as a restart of the process does. */
  restart(): Promise<void>;
  close(): Promise<void>;
}

/** For tests: one service behind the real server on a free port, with an S3 that is a map. */
export async function serveService(
  create: (options: AwsServiceOptions) => Promise<AwsService>,
): Promise<ServedService> {
  const dataDir = await mkdtemp(join(tmpdir(), 'aws-local-'));
  const objects = new Map<string, Buffer>();
  const services = new Map<AwsService['name'], AwsService>();
  const chaos = new Chaos();
  const handler = createHandler(
    Promise.resolve({
      services,
      controls: { chaos, calls: new CallCounter(), messages: { list: () => [], clear: () => undefined }, config: {} },
      log: (message, fields) => process.stderr.write(`${message} ${JSON.stringify(fields)}\n`),
    }),
  );
  const listener = await listen(handler, 0, '127.0.0.1');
  const endpoint = `http://127.0.0.1:${listener.port}`;
  const options: AwsServiceOptions = {
    dataDir,
    region: 'eu-west-1',
    accountId: '000000000000',
    endpoint,
    readObject: (bucket, key) => Promise.resolve(objects.get(`${bucket}/${key}`)),
    listObjects: (bucket, prefix) =>
      Promise.resolve(
        [...objects.keys()]
          .filter((name) => name.startsWith(`${bucket}/${prefix}`))
          .map((name) => name.slice(bucket.length + 1))
          .toSorted(),
      ),
    writeObject(bucket, key, body) {
      objects.set(`${bucket}/${key}`, body);
      return Promise.resolve();
    },
    log: () => undefined,
  };
  let service = await create(options);
  services.set(service.name, service);
  return {
    endpoint,
    dataDir,
    objects,
    chaos,
    client: {
      region: 'eu-west-1',
      endpoint,
      credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
      maxAttempts: 1,
    },
    async restart() {
      await service.close();
      service = await create(options);
      services.set(service.name, service);
    },
    async close() {
      await service.close();
      await listener.close(0);
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}

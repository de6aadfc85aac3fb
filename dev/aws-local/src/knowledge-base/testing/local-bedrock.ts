import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AwsError, type AwsService, type AwsServiceOptions } from '../../service.ts';
import { createBedrockAgent } from '../../services/bedrock-agent.ts';
import { createBedrockAgentRuntime } from '../../services/bedrock-agent-runtime.ts';
import { createKnowledgeBase, type KnowledgeBase, type KnowledgeBaseOptions } from '../index.ts';

/** An S3 that is a map, `bucket/key` to content. */
export type Objects = Map<string, Buffer>;

export interface LocalBedrock {
  readonly endpoint: string;
  readonly knowledgeBase: KnowledgeBase;
  readonly objects: Objects;
  readonly dataDir: string;
  /** Closes and opens it again on the same folder, as a restart does. */
  close(options?: { keepData: boolean }): Promise<void>;
}

/** For tests: the two Bedrock services on a free port over a knowledge base in a folder of its own. */
export async function startLocalBedrock(
  overrides: Partial<KnowledgeBaseOptions> & { objects?: Objects } = {},
): Promise<LocalBedrock> {
  const objects: Objects = overrides.objects ?? new Map<string, Buffer>();
  const dataDir = overrides.dataDir ?? (await mkdtemp(join(tmpdir(), 'knowledge-base-')));
  const options: AwsServiceOptions = {
    dataDir,
    region: 'eu-west-1',
    accountId: '000000000000',
    endpoint: '',
    readObject: (bucket, key) => Promise.resolve(objects.get(`${bucket}/${key}`)),
    listObjects: (bucket, prefix) => Promise.resolve(keysUnder(objects, bucket, prefix)),
    writeObject: () => Promise.reject(new Error('nothing here writes to S3')),
    log: () => undefined,
  };
  const knowledgeBase = await createKnowledgeBase({ ...options, searchableDelayMs: 0, ...overrides, dataDir });
  const services = [
    await createBedrockAgent({ ...options, knowledgeBase }),
    await createBedrockAgentRuntime({ ...options, knowledgeBase }),
  ];
  const server = createServer((request, response) => void answer(services, request, response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    endpoint: `http://127.0.0.1:${port}`,
    knowledgeBase,
    objects,
    dataDir,
    async close({ keepData } = { keepData: false }) {
      await stop(server);
      await knowledgeBase.close();
      if (!keepData) await rm(dataDir, { recursive: true, force: true });
    },
  };
}

async function answer(services: readonly AwsService[], raw: IncomingMessage, response: ServerResponse): Promise<void> {
  const url = new URL(raw.url ?? '/', 'http://localhost');
  const request = {
    raw,
    method: raw.method ?? 'GET',
    path: url.pathname,
    query: url.searchParams,
    headers: raw.headers,
    body: async () => Buffer.concat((await raw.toArray()) as Buffer[]),
    signal: AbortSignal.timeout(30_000),
  };
  const scope = String(raw.headers['user-agent']).includes('agent_runtime');
  const service = services.find((candidate) => candidate.operationOf(request) !== undefined) ?? services[scope ? 1 : 0];
  const operation = service?.operationOf(request) ?? '';
  try {
    await service?.handle(operation, request, response);
  } catch (error) {
    const known = error instanceof AwsError;
    response.writeHead(known ? error.status : 500, {
      'content-type': 'application/json',
      'x-amzn-errortype': known ? error.code : 'InternalServerException',
    });
    response.end(JSON.stringify({ message: error instanceof Error ? error.message : String(error) }));
  }
}

function keysUnder(objects: Objects, bucket: string, prefix: string): string[] {
  const start = `${bucket}/`;
  const keys = [...objects.keys()].filter((name) => name.startsWith(start)).map((name) => name.slice(start.length));
  return keys.filter((key) => key.startsWith(prefix)).toSorted();
}

async function stop(server: Server): Promise<void> {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
}

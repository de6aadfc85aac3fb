import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type BedrockAgent,
  type BedrockAgentRuntime,
  createBedrockAgent,
  createBedrockAgentRuntime,
  createS3,
  type DocumentState,
} from '@manuel/aws';
import { startAwsLocal } from '@manuel/aws-local';
import { type JobPayload, type JobView, isTerminal, newManualId } from '@manuel/contracts';
import { type Admitter, createAdmitter, runWorker } from '@manuel/queues';
import { type Cache, createCache } from '@manuel/cache';
import { createLedger } from '@manuel/ledger';
import { connectRedis, createResilience } from '@manuel/resilience';
import { type Settings, type SettingsOverrides, settingsWith } from '@manuel/settings';
import { createMetrics, silentLogger } from '@manuel/telemetry';
import { startRedis, waitFor } from '@manuel/testing';
import { type Context, type ContextOverrides, createContext } from '../context.ts';
import { abandonedBy, handlersOf } from '../entry/jobs.ts';

type Environment = Record<string, string | undefined>;

export interface Bench {
  readonly settings: Settings;
  /** The test's own way to the ledger and the bucket. */
  readonly context: Pick<Context, 'ledger' | 's3'>;
  readonly admitter: Admitter;
  readonly endpoint: string;
  /** Starts another worker, with a context of its own. */
  worker(overrides?: ContextOverrides): Promise<{ context: Context; close(): Promise<void> }>;
  /** Puts bytes where the gateway does and admits the job. */
  upload(userId: string, file: Upload): Promise<{ jobId: string; manualId: string }>;
  admit(userId: string, payload: JobPayload<'ingest'>): Promise<string>;
  remove(userId: string, manualId: string): Promise<string>;
  /** The job as its owner sees it, once it has ended. */
  ended(userId: string, jobId: string, timeoutMs?: number): Promise<JobView>;
  /** AWS calls since the last reset, by operation. */
  calls(service: string): Promise<Record<string, number>>;
  resetCalls(): Promise<void>;
  /** Every document that the knowledge base knows. */
  documents(): AsyncIterable<DocumentState>;
  readonly agent: BedrockAgent;
  search: BedrockAgentRuntime['retrieve'];
  /** A search that no owner narrows: what the index would give to one who forgot the filter. */
  searchAll(text: string): Promise<Found[]>;
  readonly cache: Cache;
  /** Every key in the bucket under a prefix. */
  keys(prefix?: string): Promise<string[]>;
  close(): Promise<void>;
}

export interface Found {
  readonly metadata: Record<string, unknown>;
}

export interface Upload {
  readonly filename: string;
  readonly bytes: Uint8Array | string;
  readonly manualId?: string;
  readonly replaces?: string;
}

const quick: SettingsOverrides = {
  logs: { level: 'error' },
  queue: { max_size: 5000, max_per_user: 1000, stalled_interval_ms: 500, lock_ms: 3000 },
  retry: { s3: { strategy: 'fixed', base_delay_ms: 50, max_delay_ms: 100, jitter: false, max_retries: 2 } },
  ingest: { calls_per_s: 50, poll_initial_ms: 30, poll_max_ms: 500, batch_window_ms: 20 },
};

/** The worker over a real Redis and AWS on this machine, all of the test file's own. `environment`: where the SDK looks for AWS. */
export async function startBench(
  environment: Environment,
  overrides: SettingsOverrides = {},
  options: { workers?: number; context?: ContextOverrides } = {},
): Promise<Bench> {
  const dir = await mkdtemp(join(tmpdir(), 'ingest-bench-'));
  const [redis, aws] = await Promise.all([startRedis(), startAwsLocal({ dir, closeGraceMs: 100 })]);
  Object.assign(environment, {
    AWS_ENDPOINT_URL: aws.endpoint,
    AWS_ACCESS_KEY_ID: 'local',
    AWS_SECRET_ACCESS_KEY: 'local',
  });
  const settings = settingsWith({
    ...quick,
    ...overrides,
    ingest: { ...quick.ingest, ...overrides.ingest },
    redis: { url: redis.url },
  });
  const workers: { context: Context; close(): Promise<void> }[] = [];

  async function worker(extra: ContextOverrides = {}) {
    const context = await createContext(settings, { logger: silentLogger(), ...options.context, ...extra });
    const running = await runWorker(
      { settings, ledger: context.ledger, logger: context.logger, metrics: context.metrics },
      { queue: 'ingest', handlers: handlersOf(context), onAbandoned: abandonedBy(context) },
    );
    const started = {
      context,
      async close() {
        await running.close(2000);
        await context.close();
      },
    };
    workers.push(started);
    return started;
  }

  const logger = silentLogger();
  const metrics = createMetrics('test');
  const connection = await connectRedis(settings, { name: 'test', logger });
  const resilience = createResilience({ settings, logger, metrics });
  const ledger = createLedger({ settings, logger, metrics });
  await ledger.createTables();
  const s3 = createS3({ settings, resilience });
  const agent = createBedrockAgent({ settings, resilience });
  const search = createBedrockAgentRuntime({ settings, resilience });
  const cache = createCache({ settings, logger, metrics, redis: connection, versions: ledger.manuals });
  for (let count = 0; count < (options.workers ?? 1); count += 1) await worker();
  const { manuals_bucket: bucket, uploads_prefix } = settings.storage;
  const admitter = await createAdmitter({ settings, ledger, logger, metrics });

  async function submit(
    job: 'ingest' | 'delete-manual',
    userId: string,
    payload: JobPayload<'ingest'> | JobPayload<'delete-manual'>,
  ) {
    const admission = await admitter.admit({
      job,
      operation: job === 'ingest' ? 'ingest' : 'delete',
      userId,
      payload,
      class: 'normal',
      expiresInS: 600,
      requestId: 'test',
    });
    if (admission.kind !== 'job') throw new Error('an ingest is never cached');
    return admission.view.id;
  }

  const bench: Bench = {
    settings,
    context: { ledger, s3 },
    admitter,
    endpoint: aws.endpoint,
    worker,
    admit: (userId, payload) => submit('ingest', userId, payload),
    async upload(userId, { filename, bytes, replaces, manualId = newManualId() }) {
      const key = `${uploads_prefix}/${userId}/${manualId}`;
      const contentType = 'application/octet-stream';
      const { etag } = await s3.putObject({ bucket, key, body: bytes, contentType });
      const source = { kind: 'object' as const, key, etag };
      const replaced = replaces === undefined ? {} : { replaces };
      const payload = { manual_id: manualId, filename, upload_method: 'body' as const, source, ...replaced };
      return { manualId, jobId: await submit('ingest', userId, payload) };
    },
    async remove(userId, manualId) {
      await ledger.manuals.update(userId, manualId, { status: 'deleting' });
      return submit('delete-manual', userId, { manual_id: manualId });
    },
    ended: (userId, jobId, timeoutMs = 20_000) =>
      waitFor(
        async () => {
          const view = await admitter.view(userId, jobId);
          return view && isTerminal(view.status) ? view : undefined;
        },
        { timeoutMs, what: `job ${jobId}` },
      ),
    async calls(service) {
      const counts = (await (await fetch(`${aws.endpoint}/_calls`)).json()) as Record<string, Record<string, number>>;
      return counts[service] ?? {};
    },
    async resetCalls() {
      await fetch(`${aws.endpoint}/_calls`, { method: 'DELETE' });
    },
    keys: (prefix = '') => Array.fromAsync(s3.listObjects(bucket, prefix), ({ key }) => key),
    agent,
    documents: () => agent.listDocuments(),
    search: (input) => search.retrieve(input),
    async searchAll(text) {
      // @manuel/aws knows no search without an owner, and rightly so: this asks the wire.
      const scope = `local/20260101/${settings.region}/bedrock/aws4_request`;
      const response = await fetch(`${aws.endpoint}/knowledgebases/${settings.knowledge_base.id}/retrieve`, {
        method: 'POST',
        headers: { authorization: `AWS4-HMAC-SHA256 Credential=${scope}, SignedHeaders=host, Signature=0` },
        body: JSON.stringify({
          retrievalQuery: { text },
          retrievalConfiguration: { vectorSearchConfiguration: { numberOfResults: 100 } },
        }),
      });
      const { retrievalResults } = (await response.json()) as { retrievalResults: Found[] };
      return retrievalResults.map(({ metadata }) => ({ metadata }));
    },
    cache,
    async close() {
      await admitter.close();
      await cache.close();
      await ledger.close();
      s3.close();
      await resilience.close();
      agent.close();
      search.close();
      connection.disconnect();
      for (const started of workers.toReversed()) await started.close();
      await aws.close();
      await redis.close();
      await rm(dir, { recursive: true, force: true });
    },
  };
  return bench;
}

import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createBedrockAgent, createS3 } from '@manuel/aws';
import { startAwsLocal } from '@manuel/aws-local';
import { type Envelope, newConversationId, newJobId, newManualId, type JobPayload } from '@manuel/contracts';
import type { JobContext } from '@manuel/queues';
import { createResilience } from '@manuel/resilience';
import { type Settings, type SettingsOverrides, settingsWith } from '@manuel/settings';
import { createMetrics, silentLogger } from '@manuel/telemetry';
import { testRedis, waitFor } from '@manuel/testing';
import { type Context, createContext } from '../context.ts';
import { answerQueryJob } from '../entry/answer-query-job.ts';

/** What a client would see of one job. */
export interface Asked {
  readonly result: Awaited<ReturnType<ReturnType<typeof answerQueryJob>>> & { kind: 'done' };
  /** The pieces of the answer as they were sent. */
  readonly tokens: readonly string[];
  readonly steps: readonly string[];
  readonly ms: number;
}

export interface AskOptions extends Partial<Omit<JobPayload<'query'>, 'question'>> {
  readonly signal?: AbortSignal;
  readonly onToken?: (text: string) => void;
  readonly operation?: 'query' | 'voice';
  readonly context?: Context;
}

export interface LocalStack {
  readonly settings: Settings;
  readonly context: Context;
  /** Another worker on the same Redis and AWS. */
  another(overrides?: SettingsOverrides): Promise<Context>;
  /** Stores and indexes a manual, one text a page; its id. */
  addManual(userId: string, pages: readonly string[], filename?: string): Promise<string>;
  ask(userId: string, question: string, options?: AskOptions): Promise<Asked>;
  chaos(fault: Record<string, unknown>): Promise<void>;
  /** Lifts all faults. */
  calm(): Promise<void>;
  /** Calls since the last look, by service and operation. */
  calls(): Promise<Record<string, Record<string, number>>>;
  close(): Promise<void>;
}

/** The worker's job without the queue: real Redis, real AWS clients, AWS on this machine. */
export async function startLocalStack(overrides: SettingsOverrides = {}): Promise<LocalStack> {
  const dir = await mkdtemp(join(tmpdir(), 'query-worker-'));
  const aws = await startAwsLocal({ dir });
  Object.assign(process.env, {
    AWS_ENDPOINT_URL: aws.endpoint,
    AWS_ACCESS_KEY_ID: 'local',
    AWS_SECRET_ACCESS_KEY: 'local',
  });
  const redis = await testRedis();
  const base: SettingsOverrides = { ...overrides, redis: { url: redis.url, prefix: redis.prefix } };
  const settings = settingsWith(base);
  const quiet = { logger: silentLogger(), metrics: createMetrics('test') };
  const contexts: Context[] = [];
  const another: LocalStack['another'] = async (more = {}) => {
    const context = await createContext(settingsWith({ ...base, ...more }), quiet);
    contexts.push(context);
    return context;
  };
  const context = await another();
  await context.ledger.createTables();
  const resilience = createResilience({ settings, ...quiet });
  const s3 = createS3({ settings, resilience });
  const agent = createBedrockAgent({ settings, resilience });

  async function control(path: string, method: string, body?: unknown): Promise<unknown> {
    const response = await fetch(`${aws.endpoint}${path}`, {
      method,
      ...(body === undefined ? {} : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
    });
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`);
    const text = await response.text();
    return text === '' ? undefined : JSON.parse(text);
  }

  return {
    settings,
    context,
    another,
    async addManual(userId, pages, filename = 'manual.txt') {
      const id = newManualId();
      const bucket = settings.storage.manuals_bucket;
      const key = `${settings.storage.manuals_prefix}/${userId}/${id}/${filename}`;
      const metadata = { user_id: userId, manual_id: id, original_filename: filename };
      const body = pages.join('\f');
      await s3.putObject({ bucket, key, body, contentType: 'text/plain' });
      const sidecar = JSON.stringify({ metadataAttributes: metadata });
      await s3.putObject({ bucket, key: `${key}.metadata.json`, body: sidecar, contentType: 'application/json' });
      const uri = `s3://${bucket}/${key}`;
      await agent.ingestDocuments([{ uri, metadataUri: `${uri}.metadata.json` }]);
      await waitFor(async () => (await agent.getDocuments([uri]))[0]?.status === 'INDEXED', { what: 'the index' });
      await waitFor(async () =>
        (await context.search.retrieve({ ownerId: userId, text: pages.join(' ').slice(0, 500), limit: 100 })).some(
          (passage) => passage.manual_id === id,
        ),
      );
      const now = Date.now();
      await context.ledger.manuals.create({
        user_id: userId,
        manual_id: id,
        filename,
        content_type: 'text/plain',
        bytes: body.length,
        pages: pages.length,
        status: 'ready',
        created_at: now,
        updated_at: now,
        upload_method: 'body',
      });
      await context.cache.bumpVersion(userId);
      return id;
    },
    async ask(userId, question, options = {}) {
      const {
        signal = AbortSignal.timeout(60_000),
        onToken,
        operation = 'query',
        context: by = context,
        ...rest
      } = options;
      const id = newJobId(operation);
      const now = Date.now();
      const payload: JobPayload<'query'> = { persona: 'default', ...rest, question };
      const envelope: Envelope = {
        id,
        user_id: userId,
        operation,
        class: 'normal',
        request_id: randomUUID(),
        created_at: now,
        expires_at: now + 45_000,
        payload,
      };
      const tokens: string[] = [];
      const steps: string[] = [];
      const job: JobContext<'query'> = {
        name: 'query',
        id,
        userId,
        operation,
        payload,
        envelope,
        attempt: 1,
        lastAttempt: false,
        signal,
        logger: by.logger,
        step: {},
        progress(progress) {
          steps.push(`${progress.step} ${progress.percent}`);
          return Promise.resolve();
        },
        token(text) {
          tokens.push(text);
          onToken?.(text);
        },
      };
      const result = await answerQueryJob(by)(job);
      if (result.kind !== 'done') throw new Error(`a question ended as ${result.kind}`);
      return { result, tokens, steps, ms: Date.now() - now };
    },
    chaos: async (fault) => void (await control('/_chaos', 'POST', fault)),
    calm: async () => void (await control('/_chaos', 'DELETE')),
    async calls() {
      const calls = (await control('/_calls', 'GET')) as Record<string, Record<string, number>>;
      await control('/_calls', 'DELETE');
      return calls;
    },
    async close() {
      for (const each of contexts) await each.close();
      await resilience.close();
      s3.close();
      agent.close();
      await aws.close();
      await redis.close();
      await rm(dir, { recursive: true, force: true });
    },
  };
}

export const newUserId = (): string => `user-${newConversationId().slice(4)}`;

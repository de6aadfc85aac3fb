import { createS3, type S3, type StartTranscription } from '@manuel/aws';
import { startAwsLocal } from '@manuel/aws-local';
import { isTerminal, type JobPayload, wantedEntry, wantedSpeechModels } from '@manuel/contracts';
import type { JobRow, Ledger } from '@manuel/ledger';
import { type Admitter, createAdmitter } from '@manuel/queues';
import { createResilience } from '@manuel/resilience';
import { type Settings, type SettingsOverrides, settingsWith } from '@manuel/settings';
import { createMetrics, silentLogger } from '@manuel/telemetry';
import { type SpeechServer, startSpeechServer, testRedis, waitFor } from '@manuel/testing';
import { Redis } from 'ioredis';
import { createHash } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createContext, type TranscribeWorker } from '../context.ts';
import { consume } from '../entry/consume.ts';

type Source = JobPayload<'transcribe'>;

export interface VoiceStack {
  readonly settings: Settings;
  /** What a child process needs to work on the same stack. */
  readonly environment: Readonly<Record<string, string>>;
  readonly speech: SpeechServer;
  readonly context: TranscribeWorker;
  /** What Transcribe was asked to start, in order. */
  readonly asked: readonly StartTranscription[];
  readonly ledger: Ledger;
  readonly admitter: Admitter;
  readonly s3: S3;
  /** Stores a recording as the gateway does; the job's payload. */
  store(userId: string, bytes: Uint8Array, change?: Partial<Source>): Promise<Source>;
  submit(userId: string, source: Source, operation?: 'transcribe' | 'voice'): Promise<string>;
  /** The job's row once it has ended. */
  ended(userId: string, jobId: string): Promise<JobRow>;
  /** Says, as a gateway does, that a live speaker lacked a model. */
  wantModel(userId: string, language: string): Promise<void>;
  /** Keys that are left under the user's prefix. */
  keysOf(userId: string): Promise<string[]>;
  /** Calls of Transcribe since the start, by operation. */
  calls(): Promise<Record<string, number>>;
  chaos(fault: Record<string, unknown>): Promise<void>;
  close(): Promise<void>;
}

/**
 * Real Redis, real queue, real AWS clients, AWS on this machine; `worker: false` leaves consuming to the test. What is
 * heard comes from a speech server of the test's own, unless `decoder` names where the programs of the local one are.
 * `environment`: the process's, where the SDK looks for AWS.
 */
export async function startVoiceStack(
  environment: Record<string, string | undefined>,
  options: { overrides?: SettingsOverrides; worker?: boolean; decoder?: string } = {},
): Promise<VoiceStack> {
  const dir = await mkdtemp(join(tmpdir(), 'transcribe-worker-'));
  const speech = await startSpeechServer();
  const transcribe =
    options.decoder === undefined ? { speechUrl: speech.url } : { programPath: options.decoder, concurrency: 1 };
  const aws = await startAwsLocal({ dir, transcribe: { maxActiveJobs: 5000, ...transcribe } });
  const credentials = { AWS_ENDPOINT_URL: aws.endpoint, AWS_ACCESS_KEY_ID: 'local', AWS_SECRET_ACCESS_KEY: 'local' };
  Object.assign(environment, credentials);
  const redis = await testRedis();
  const settings = settingsWith({
    ...options.overrides,
    redis: { url: redis.url, prefix: redis.prefix },
    retry: { transcribe: { base_delay_ms: 20 }, s3: { base_delay_ms: 20 } },
    transcribe: { poll_initial_ms: 20, poll_max_ms: 200, ...options.overrides?.transcribe },
  });
  const quiet = { logger: silentLogger(), metrics: createMetrics('test') };
  const made = await createContext(settings, quiet);
  const asked: StartTranscription[] = [];
  const context: TranscribeWorker = {
    ...made,
    transcribe: {
      ...made.transcribe,
      start(input, signal) {
        asked.push(input);
        return made.transcribe.start(input, signal);
      },
    },
  };
  const admitter = await createAdmitter({ settings, ledger: context.ledger, ...quiet });
  const service = options.worker === false ? { close: () => context.close() } : await consume(context);
  const resilience = createResilience({ settings, ...quiet });
  const s3 = createS3({ settings, resilience });
  const { audio_bucket: bucket, audio_prefix } = settings.storage;
  let recordings = 0;

  async function control(path: string, body?: unknown): Promise<unknown> {
    const request = body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) };
    const response = await fetch(`${aws.endpoint}${path}`, request);
    if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
    return response.json();
  }

  return {
    settings,
    environment: { ...credentials, REDIS_URL: redis.url, REDIS_PREFIX: redis.prefix },
    speech,
    asked,
    context,
    ledger: context.ledger,
    admitter,
    s3,
    async store(userId, bytes, change = {}) {
      recordings += 1;
      const audio_key = `${audio_prefix}/${userId}/recording-${recordings}.wav`;
      const content_type = 'audio/wav';
      const { etag } = await s3.putObject({ bucket, key: audio_key, body: bytes, contentType: content_type });
      const audio_sha256 = createHash('sha256').update(bytes).digest('hex');
      return { audio_key, content_type, etag, audio_sha256, ...change };
    },
    async submit(userId, source, operation = 'transcribe') {
      const common = { userId, class: 'normal' as const, expiresInS: 600, requestId: 'req_test' };
      const admission = await admitter.admit(
        operation === 'voice'
          ? { ...common, job: 'voice', operation, payload: { ...source, persona: 'default' } }
          : { ...common, job: 'transcribe', operation, payload: source },
      );
      if (admission.kind !== 'job') throw new Error('a recording was answered from the cache at admission');
      return admission.view.id;
    },
    ended: (userId, jobId) =>
      waitFor(
        async () => {
          const row = await context.ledger.jobs.get(userId, jobId);
          return row !== undefined && isTerminal(row.status) ? row : undefined;
        },
        { what: `the end of ${jobId}`, timeoutMs: 20_000 },
      ),
    async wantModel(userId, language) {
      const connection = new Redis(redis.url);
      await connection.sadd(wantedSpeechModels(redis.prefix), wantedEntry({ userId, language }));
      await connection.quit();
    },
    keysOf: (userId) => Array.fromAsync(s3.listObjects(bucket, `${audio_prefix}/${userId}/`), (object) => object.key),
    async calls() {
      const calls = (await control('/_calls')) as Record<string, Record<string, number>>;
      return calls['transcribe'] ?? {};
    },
    chaos: async (fault) => void (await control('/_chaos', fault)),
    async close() {
      await service.close();
      await admitter.close();
      await resilience.close();
      s3.close();
      await aws.close();
      await speech.close();
      await redis.close();
      await rm(dir, { recursive: true });
    },
  };
}

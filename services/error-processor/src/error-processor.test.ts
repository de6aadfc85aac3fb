import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { startAwsLocal } from '@manuel/aws-local';
import { isTerminal, ManuelError } from '@manuel/contracts';
import { createLedger, type Ledger } from '@manuel/ledger';
import { type Admitter, createAdmitter, runWorker, type RunningWorker } from '@manuel/queues';
import { type Settings, settingsWith } from '@manuel/settings';
import { createMetrics, silentLogger } from '@manuel/telemetry';
import { type OwnRedis, startRedis, waitFor } from '@manuel/testing';
import { Redis } from 'ioredis';

let dir: string;
let aws: Awaited<ReturnType<typeof startAwsLocal>>;
let redis: OwnRedis;
let settings: Settings;
let ledger: Ledger;
let admitter: Admitter;
let processor: ChildProcess;
let health = '';
const workers: RunningWorker[] = [];
const quiet = { logger: silentLogger(), metrics: createMetrics('test') };

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'error-processor-'));
  [aws, redis] = await Promise.all([startAwsLocal({ dir }), startRedis()]);
  const awsEnvironment = {
    AWS_ENDPOINT_URL: aws.endpoint,
    AWS_ACCESS_KEY_ID: 'local',
    AWS_SECRET_ACCESS_KEY: 'local',
    AWS_REGION: 'eu-west-1',
  };
  Object.assign(process.env, awsEnvironment);

  settings = settingsWith({
    redis: { url: redis.url },
    ledger: { sweep_grace_ms: 0 },
    retry: { bedrock: { max_retries: 0 } },
  });
  ledger = createLedger({ settings, ...quiet });
  await ledger.createTables();
  admitter = await createAdmitter({ settings, ledger, ...quiet });

  processor = spawn(process.execPath, [new URL('./main.ts', import.meta.url).pathname], {
    env: {
      PATH: process.env['PATH'],
      ...awsEnvironment,
      REDIS_URL: redis.url,
      LEDGER_SWEEP_INTERVAL_MS: '300',
      LEDGER_SWEEP_GRACE_MS: '0',
      ALERTS_TOPIC_ARN: aws.config['topic_arn'],
      HTTP_HEALTH_PORT: '0',
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let said = '';
  processor.stdout?.on('data', (chunk: Buffer) => (said += chunk.toString()));
  const port = await waitFor(() => /"message":"ready","health_port":(\d+)/.exec(said)?.[1], {
    what: 'the error processor to be ready',
    timeoutMs: 20_000,
  });
  health = `http://127.0.0.1:${port}`;
}, 60_000);

afterAll(async () => {
  await Promise.all(workers.map((worker) => worker.close(0)));
  if (processor.exitCode === null) {
    const gone = once(processor, 'exit');
    processor.kill('SIGKILL');
    await gone;
  }
  await admitter.close();
  await ledger.close();
  await Promise.all([aws.close(), redis.close()]);
  await rm(dir, { recursive: true, force: true });
});

const ask = async (userId: string, question: string): Promise<string> => {
  const admission = await admitter.admit({
    job: 'query',
    operation: 'query',
    userId,
    payload: { question, persona: 'default' },
    class: 'normal',
    expiresInS: 45,
    requestId: 'req-1',
  });
  if (admission.kind !== 'job') throw new Error('no job');
  return admission.view.id;
};

test('it is ready and live', async () => {
  await waitFor(async () => (await fetch(`${health}/readyz`)).status === 200);
  expect((await fetch(`${health}/livez`)).status).toBe(200);
});

test('jobs that failed for good become one dead letter each, and one alert for all of a kind', async () => {
  workers.push(
    await runWorker(
      { settings, ledger, ...quiet },
      {
        queue: 'query',
        handlers: {
          query: async ({ payload }) => {
            if (payload.question.startsWith('broken')) throw new ManuelError('upstream_failed', 'Bedrock is unwell.');
            if (payload.question.startsWith('wrong')) throw new ManuelError('validation_failed', 'Not a question.');
            return {
              kind: 'done',
              result: {
                answer: 'Press it.',
                citations: [],
                context_used: false,
                model: 'none',
                degradation: 'none',
                from_cache: false,
                conversation_id: 'cnv_0000000000000000000000000A',
              },
            };
          },
        },
      },
    ),
  );
  const ids = await Promise.all(['broken 1', 'broken 2', 'broken 3', 'wrong'].map((text) => ask('anna', text)));
  const letters = await waitFor(
    async () => {
      const { items } = await ledger.deadLetters.list({ limit: 50 });
      return items.length >= 4 && items;
    },
    { timeoutMs: 20_000 },
  );
  expect(letters.map(({ job_id }) => job_id).toSorted()).toEqual(ids.toSorted());
  expect(new Set(letters.map(({ fingerprint }) => fingerprint)).size).toBe(2);
  expect(letters.find(({ code }) => code === 'upstream_failed')).toMatchObject({
    severity: 'high',
    operation: 'query',
    user_id: 'anna',
    reason: expect.stringContaining('Bedrock is unwell'),
  });

  const messages: unknown = await (await fetch(`${aws.endpoint}/_messages`)).json();
  expect(JSON.stringify(messages)).toContain('[manuel] high: query upstream_failed');
  expect(JSON.stringify(messages).split('[manuel]')).toHaveLength(2);
  const client = new Redis(redis.url);
  await waitFor(async () => (await client.zcard('{manuel}:query:failed')) === 0);
  client.disconnect();
});

test('it brings back what Redis forgot', async () => {
  await Promise.all(workers.splice(0).map((worker) => worker.close(0)));
  const ids = await Promise.all(Array.from({ length: 5 }, (_, i) => ask('berta', `question ${i}`)));
  const client = new Redis(redis.url);
  await client.flushall();
  await waitFor(async () => (await client.zcard('{manuel}:query:prioritized')) === 5, { timeoutMs: 20_000 });
  client.disconnect();
  await Promise.all(ids.map((id) => admitter.cancel('berta', id)));
  for (const id of ids) expect(isTerminal((await admitter.view('berta', id))?.status ?? 'queued')).toBe(true);
});

test('it stops when it is told to', async () => {
  const gone = once(processor, 'exit');
  processor.kill('SIGTERM');
  expect((await gone)[0]).toBe(0);
});

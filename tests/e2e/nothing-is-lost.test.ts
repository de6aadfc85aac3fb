import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { JobView, UsageView } from '@manuel/contracts';
import { startRedis, waitFor, type OwnRedis } from '@manuel/testing';
import { Redis } from 'ioredis';
import { Client } from '../../scripts/support/client.ts';
import { startTestStack, type TestStack } from '../support/test-stack.ts';

/** Whatever happens to Redis and to the workers: each accepted job ends, and its effect is there exactly once. */
let redis: OwnRedis;
let house: TestStack;
let demo: Client;

const manual =
  'The descaling lamp lights orange. Press the blue key to start descaling.\n\fThe warranty lasts two years.';

beforeAll(async () => {
  redis = await startRedis();
  house = await startTestStack({
    REDIS_URL: redis.url,
    RATE_LIMIT_REQUESTS: '100000',
    QUOTA_DAILY_LIMIT: '1000',
    CACHE_ENABLED: 'false',
    // Nothing else: whatever waits for something lost must follow from it.
    LEDGER_SWEEP_INTERVAL_MS: '2000',
  });
  demo = await Client.signedIn(house.stack.url, 'demo@example.com');
  const job = await demo.call<JobView>('/api/manuals/upload', {
    json: { filename: 'kettle.txt', content_type: 'text/plain', content: Buffer.from(manual).toString('base64') },
  });
  expect((await demo.follow(job.id)).status).toBe('completed');
}, 120_000);

afterAll(async () => {
  await house.close();
  await redis.close();
}, 60_000);

/** Slows the model down, so that jobs are still under way when something happens to them. */
async function slowModel(latencyMs: number): Promise<void> {
  const set = await fetch(`${house.stack.awsEndpoint}/_chaos`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      service: 'bedrock-runtime',
      operation: 'ConverseStream',
      fault: 'latency',
      latency_ms: latencyMs,
    }),
  });
  expect(set.status).toBeLessThan(300);
}

const usedToday = async (): Promise<number> => (await demo.call<UsageView>('/api/user/usage')).daily_used;

async function submit(count: number, label: string): Promise<JobView[]> {
  return Promise.all(
    Array.from({ length: count }, (_, n) =>
      demo.call<JobView>('/api/query', {
        json: { question: `Which key starts descaling, ${label} ${n}?`, expires_in_s: 3600 },
        headers: { 'idempotency-key': `${label}-${n}` },
      }),
    ),
  );
}

async function allEnd(jobs: readonly JobView[]): Promise<JobView[]> {
  return waitFor(
    async () => {
      const now = await Promise.all(jobs.map((job) => demo.job(job.id)));
      return now.every((job) => !['queued', 'active'].includes(job.status)) ? now : undefined;
    },
    // Two sweeps, and the time that the work takes on a busy machine.
    { timeoutMs: 15_000, everyMs: 300, what: 'every job to end' },
  );
}

test.each([
  {
    what: 'Redis loses everything',
    happens: async () => {
      const client = new Redis(redis.url);
      await client.flushall();
      client.disconnect();
    },
  },
  {
    what: 'Redis is killed and comes back empty',
    happens: async () => {
      await redis.stop('SIGKILL');
      await redis.start();
    },
  },
  {
    what: 'the query-worker is killed',
    happens: async () => {
      const worker = house.stack.children.get('query-worker');
      worker?.process.kill('SIGKILL');
      await worker?.exited;
      await house.stack.startService('query-worker');
    },
  },
])(
  '$what: all accepted jobs end, each charged once',
  async ({ what, happens }) => {
    const before = await usedToday();
    await slowModel(300);
    const jobs = await submit(30, what.replaceAll(' ', '-'));
    expect(new Set(jobs.map((job) => job.id)).size).toBe(30);
    await waitFor(
      async () => (await Promise.all(jobs.map((job) => demo.job(job.id)))).some((job) => job.status === 'completed'),
      {
        timeoutMs: 20_000,
        what: 'the first answer',
      },
    );
    await happens();
    const ended = await allEnd(jobs);
    expect(new Set(ended.map((job) => job.status))).toEqual(new Set(['completed']));
    await fetch(`${house.stack.awsEndpoint}/_chaos`, { method: 'DELETE' });
    await waitFor(async () => (await usedToday()) === before + 30, { what: 'one charge for each' });
    // The same keys again are the same jobs: nothing new runs, nothing is charged.
    const again = await submit(30, what.replaceAll(' ', '-'));
    expect(again.map((job) => job.id)).toEqual(jobs.map((job) => job.id));
    expect(await usedToday()).toBe(before + 30);
  },
  120_000,
);

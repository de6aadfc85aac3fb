import { type JobClass, type JobResult, newConversationId } from '@manuel/contracts';
import { type SettingsOverrides, settingsWith } from '@manuel/settings';
import { createMetrics, silentLogger } from '@manuel/telemetry';
import { startRedis, waitFor } from '@manuel/testing';
import { Redis } from 'ioredis';
import { createAdmitter } from '../admitter.ts';
import { createEventHub } from '../event-hub.ts';
import { createJanitor } from '../janitor.ts';
import type { Admitter, AdmitRequest, Handler, QueueDependencies, RunningWorker } from '../types.ts';
import { runWorker } from '../worker/run-worker.ts';
import { type MemoryLedger, memoryLedger } from './memory-ledger.ts';
import type { Ledger } from '@manuel/ledger';

/** A query's result as a handler gives it. */
export const answered = (answer = 'Press the button.'): Omit<JobResult<'query'>, 'usage'> => ({
  answer,
  citations: [],
  context_used: true,
  model: 'none',
  degradation: 'none',
  from_cache: false,
  conversation_id: newConversationId(),
});

export const done: Handler<'query'> = async () => ({ kind: 'done', result: answered() });

export interface TestBench {
  readonly deps: QueueDependencies & { readonly ledger: MemoryLedger & Ledger };
  readonly redis: Redis;
  readonly url: string;
  admitter(): Promise<Admitter>;
  worker(handler: Handler<'query'>, options?: { concurrency?: number }): Promise<RunningWorker>;
  hub(admitter: Admitter): ReturnType<typeof createEventHub>;
  janitor(): ReturnType<typeof createJanitor>;
  /** Closes what was opened since the last call and forgets all data. */
  reset(): Promise<void>;
  close(): Promise<void>;
  readonly server: Awaited<ReturnType<typeof startRedis>>;
}

/** Settings that make tests quick: limits out of the way, short intervals. */
const quick: SettingsOverrides = {
  quota: { daily_limit: 1000, monthly_limit: 10_000 },
  queue: { max_active_per_user: 100, lock_ms: 2000, stalled_interval_ms: 500 },
  ledger: { sweep_grace_ms: 0 },
  retry: { bedrock: { strategy: 'fixed', base_delay_ms: 20, max_delay_ms: 50, jitter: false, max_retries: 2 } },
};

/** Queues on a real Redis of the test file's own, over a ledger in memory. */
export async function startBench(overrides: SettingsOverrides = {}, now?: () => number): Promise<TestBench> {
  const server = await startRedis();
  const redis = new Redis(server.url);
  // Who makes a queue over it finds it connected.
  await redis.ping();
  const merged = merge(merge(quick, overrides), { redis: { url: server.url } });
  const ledger = memoryLedger();
  const deps = {
    settings: settingsWith(merged),
    ledger,
    logger: silentLogger(),
    metrics: createMetrics('test'),
    ...(now ? { now } : {}),
  };
  const opened: (() => Promise<void>)[] = [];
  const keep = <T extends { close(): Promise<void> }>(thing: T): T => {
    opened.push(() => thing.close());
    return thing;
  };
  const closeOpened = async (): Promise<void> => {
    await Promise.all(opened.splice(0).map((close) => close()));
  };
  return {
    deps,
    redis,
    url: server.url,
    server,
    admitter: async () => keep(await createAdmitter(deps)),
    async worker(handler, options = {}) {
      const running = await runWorker(deps, { queue: 'query', handlers: { query: handler }, ...options });
      opened.push(() => running.close(0));
      await waitFor(() => running.ready().then(() => true));
      return running;
    },
    hub: async (admitter) => keep(await createEventHub(deps, (userId, jobId) => admitter.view(userId, jobId))),
    janitor: async () => keep(await createJanitor(deps)),
    async reset() {
      await closeOpened();
      await redis.flushall();
      ledger.rows.clear();
      ledger.charges.clear();
      ledger.limits.clear();
      ledger.failing = undefined;
      for (const name of Object.keys(ledger.calls)) delete ledger.calls[name];
    },
    async close() {
      await closeOpened();
      redis.disconnect();
      await server.close();
    },
  };
}

type Tree = { readonly [name: string]: unknown };
const isTree = (value: unknown): value is Tree => typeof value === 'object' && value !== null && !Array.isArray(value);

/** Objects are merged leaf by leaf; the later wins. */
function merge<T extends object>(a: T, b: T): T {
  const merged = { ...a } as Record<string, unknown>;
  for (const [name, value] of Object.entries(b) as [string, unknown][]) {
    const under = merged[name];
    merged[name] = isTree(under) && isTree(value) ? merge(under, value) : value;
  }
  // Safe: every key holds a value of one of the two.
  return merged as T;
}

/** A question of a user. */
export const question = (
  userId: string,
  change: Partial<Omit<AdmitRequest<'query'>, 'job' | 'operation' | 'payload'>> & {
    text?: string;
    class?: JobClass;
  } = {},
): AdmitRequest<'query'> => {
  const { text = 'How do I descale it?', ...rest } = change;
  return {
    job: 'query',
    operation: 'query',
    userId,
    payload: { question: text, persona: 'default' },
    class: 'normal',
    expiresInS: 45,
    requestId: 'req-1',
    ...rest,
  };
};

/** Admits and gives the job's view; fails on a cached answer. */
export async function submit(admitter: Admitter, request: AdmitRequest<'query'>) {
  const admission = await admitter.admit(request);
  if (admission.kind !== 'job') throw new Error('a cached answer was not expected');
  return admission.view;
}

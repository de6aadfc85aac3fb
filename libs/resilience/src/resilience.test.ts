import { afterEach, expect, test } from '@jest/globals';
import type { ManuelError } from '@manuel/contracts';
import { settingsWith, type SettingsOverrides } from '@manuel/settings';
import { createMetrics, silentLogger } from '@manuel/telemetry';
import { testRedis, waitFor } from '@manuel/testing';
import type { Redis } from 'ioredis';
import { createResilience, type ResilienceOptions } from './create-resilience.ts';
import { connectRedis } from './redis-connection.ts';

const closers: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

const quick: SettingsOverrides = {
  retry: { bedrock: { strategy: 'fixed', base_delay_ms: 1, max_delay_ms: 1, max_retries: 2, jitter: false } },
  breaker: { threshold: 3, open_ms: 200, half_open_probes: 1, probe_initial_ms: 20, probe_max_ms: 40 },
};

function make(overrides: SettingsOverrides = {}, more: Partial<ResilienceOptions> = {}) {
  const metrics = createMetrics('test');
  const settings = settingsWith({ ...quick, ...overrides });
  const resilience = createResilience({ settings, logger: silentLogger(), metrics, ...more });
  closers.push(() => resilience.close());
  return Object.assign(resilience, { metrics });
}

const awsError = (name: string, status: number, headers: Record<string, string> = {}): Error =>
  Object.assign(new Error('arn:aws:bedrock:eu-west-1:123456789012:secret'), {
    name,
    $metadata: { httpStatusCode: status },
    $response: { headers },
  });
const throttled = (): Error => awsError('ThrottlingException', 429);
const call = { upstream: 'bedrock', operation: 'ConverseStream' } as const;

/** Fails `times` times and then answers. */
function failing(times: number, error: () => Error): { work: () => Promise<string>; calls: () => number } {
  let calls = 0;
  return {
    calls: () => calls,
    work: () => {
      calls += 1;
      return calls <= times ? Promise.reject(error()) : Promise.resolve('answer');
    },
  };
}
const rejected = (promise: Promise<unknown>): Promise<ManuelError> =>
  promise.then(
    () => {
      throw new Error('it should have failed');
    },
    (error: unknown) => error as ManuelError,
  );

test('throttling is tried again as often as the policy says, and no upstream text reaches the error', async () => {
  const once = failing(2, throttled);
  await expect(make().call(call, once.work)).resolves.toBe('answer');
  expect(once.calls()).toBe(3);

  const always = failing(99, throttled);
  const error = await rejected(make({ breaker: { ...quick.breaker, threshold: 50 } }).call(call, always.work));
  expect(always.calls()).toBe(3);
  expect(error).toMatchObject({ code: 'unavailable', retryable: true });
  expect(JSON.stringify([error.detail, error.message])).not.toMatch(/arn:|secret/);
});

test('validation and access errors are final and never open the breaker', async () => {
  const resilience = make();
  for (const name of ['ValidationException', 'AccessDeniedException', 'ResourceNotFoundException']) {
    for (let i = 0; i < 5; i += 1) {
      const wrong = failing(99, () => awsError(name, 400));
      expect(await rejected(resilience.call(call, wrong.work))).toMatchObject({ retryable: false });
      expect(wrong.calls()).toBe(1);
    }
  }
  expect(resilience.isOpen('bedrock', 'ConverseStream')).toBe(false);
});

test('Retry-After is honoured, and a wait beyond the deadline is not begun', async () => {
  const resilience = make();
  const later = failing(1, () => awsError('ThrottlingException', 429, { 'retry-after': '0.15' }));
  const started = Date.now();
  await resilience.call(call, later.work);
  expect(Date.now() - started).toBeGreaterThanOrEqual(145);

  const tooLate = failing(1, () => awsError('ThrottlingException', 429, { 'Retry-After': '20' }));
  const error = await rejected(resilience.call({ ...call, deadlineMs: 1000 }, tooLate.work));
  expect(error.retryAfterMs).toBe(20_000);
  expect(tooLate.calls()).toBe(1);
});

test('the deadline ends a call that does not listen, and counts as a failure; a cancel does not count', async () => {
  const resilience = make({ breaker: { ...quick.breaker, threshold: 1, open_ms: 60_000 } });
  const mute = (): Promise<never> => new Promise(() => undefined);
  const cancelled = rejected(resilience.call({ ...call, signal: AbortSignal.abort() }, mute));
  expect(await cancelled).toMatchObject({ code: 'cancelled', retryable: false });
  const abort = new AbortController();
  const inFlight = rejected(resilience.call({ ...call, signal: abort.signal }, mute));
  abort.abort();
  expect(await inFlight).toMatchObject({ code: 'cancelled' });
  expect(resilience.isOpen('bedrock', 'ConverseStream')).toBe(false);

  expect(await rejected(resilience.call({ ...call, deadlineMs: 30 }, mute))).toMatchObject({ code: 'timed_out' });
  expect(resilience.isOpen('bedrock', 'ConverseStream')).toBe(true);
});

test('a breaker opens after the threshold, refuses at once, tries again after open_ms and closes on success', async () => {
  const resilience = make({ retry: { bedrock: { max_retries: 0 } } });
  const ill = failing(3, throttled);
  for (let i = 0; i < 3; i += 1) await rejected(resilience.call(call, ill.work));
  const refused = await rejected(resilience.call(call, ill.work));
  expect(refused).toMatchObject({ code: 'unavailable', retryable: true });
  expect(refused.retryAfterMs).toBeGreaterThan(0);
  expect(ill.calls()).toBe(3);
  // Another operation of the same upstream is not refused.
  await expect(resilience.call({ ...call, operation: 'Converse' }, () => Promise.resolve(1))).resolves.toBe(1);

  await waitFor(() => resilience.call(call, ill.work), { timeoutMs: 2000 });
  const closed = { state: 'closed', consecutive_failures: 0, opened_at: null };
  expect(await resilience.breakers()).toEqual([
    { name: 'bedrock:Converse', ...closed },
    { name: 'bedrock:ConverseStream', ...closed },
  ]);
  expect(await resilience.metrics.text()).toMatch(/breaker_changes_total\{.*to="open".*\} 1/);
});

test('only as many trials as allowed pass while half-open', async () => {
  const resilience = make({
    retry: { bedrock: { max_retries: 0 } },
    breaker: { ...quick.breaker, threshold: 1, open_ms: 1 },
  });
  await rejected(resilience.call(call, failing(1, throttled).work));
  await new Promise((resolve) => setTimeout(resolve, 5));
  let running = 0;
  const finish: (() => void)[] = [];
  const slow = (): Promise<void> => {
    running += 1;
    return new Promise((resolve) => finish.push(resolve));
  };
  const calls = Array.from({ length: 8 }, () => resilience.call(call, slow));
  const settled = Promise.allSettled(calls);
  await waitFor(() => finish.length > 0);
  for (const end of finish) end();
  const outcomes = await settled;
  expect(running).toBe(1);
  expect(outcomes.filter((outcome) => outcome.status === 'rejected')).toHaveLength(7);
});

test('a waiting retry gives up as soon as the breaker opens', async () => {
  const resilience = make({
    retry: { bedrock: { strategy: 'fixed', base_delay_ms: 60_000, max_delay_ms: 60_000, max_retries: 3 } },
  });
  const waiting = rejected(resilience.call(call, failing(99, throttled).work));
  for (let i = 0; i < 2; i += 1) resilience.record('bedrock', 'ConverseStream', 'failure');
  expect(await waiting).toMatchObject({ code: 'unavailable' });
});

test('a waiting retry gives up as soon as another replica’s failures open the breaker', async () => {
  const shared = await testRedis();
  closers.push(() => shared.close());
  const overrides: SettingsOverrides = {
    redis: { url: shared.url, prefix: shared.prefix },
    retry: { bedrock: { strategy: 'fixed', base_delay_ms: 60_000, max_delay_ms: 60_000, max_retries: 3 } },
    breaker: { ...quick.breaker, open_ms: 60_000 },
  };
  const connect = async (): Promise<Redis> => {
    const redis = await connectRedis(settingsWith(overrides), { name: 'test', logger: silentLogger() });
    closers.push(() => redis.quit());
    return redis;
  };
  const one = make(overrides, { redis: await connect() });
  const other = make(overrides, { redis: await connect() });
  const first = failing(99, throttled);
  const waiting = rejected(one.call(call, first.work));
  await waitFor(async () => (await one.breakers()).some((breaker) => breaker.consecutive_failures === 1));
  for (let i = 0; i < 2; i += 1) other.record('bedrock', 'ConverseStream', 'failure');
  expect(await waiting).toMatchObject({ code: 'unavailable' });
  expect(first.calls()).toBe(1);
});

test('a probe notices recovery by itself', async () => {
  const resilience = make({ breaker: { ...quick.breaker, threshold: 1, open_ms: 60_000 } });
  let well = false;
  let probes = 0;
  resilience.probe('bedrock', 'ConverseStream', () => {
    probes += 1;
    return well ? Promise.resolve() : Promise.reject(throttled());
  });
  await rejected(resilience.call({ ...call, maxRetries: 0 }, failing(1, throttled).work));
  await waitFor(() => probes >= 3);
  expect(resilience.isOpen('bedrock', 'ConverseStream')).toBe(true);
  well = true;
  await waitFor(() => !resilience.isOpen('bedrock', 'ConverseStream'), { timeoutMs: 1000 });
});

test('a bulkhead refuses what neither runs nor waits, and the refusal is not the upstream’s failure', async () => {
  const resilience = make({ bulkhead: { max_concurrent: 1, max_queued: 1 } });
  const finish: (() => void)[] = [];
  const slow = (): Promise<void> => new Promise((resolve) => finish.push(resolve));
  const first = resilience.call(call, slow);
  const second = resilience.call(call, slow);
  expect(await rejected(resilience.call(call, slow))).toMatchObject({ code: 'unavailable', retryAfterMs: 1000 });
  await waitFor(() => finish.length === 1);
  finish[0]?.();
  await first;
  await waitFor(() => finish.length === 2);
  finish[1]?.();
  await second;
  expect(await resilience.breakers()).toMatchObject([{ state: 'closed', consecutive_failures: 0 }]);
});

test('replicas share a breaker through Redis: failures add up, opening and closing are seen, a reset too', async () => {
  const shared = await testRedis();
  closers.push(() => shared.close());
  const overrides: SettingsOverrides = {
    redis: { url: shared.url, prefix: shared.prefix },
    retry: { bedrock: { max_retries: 0 } },
    breaker: { ...quick.breaker, threshold: 4, open_ms: 60_000 },
  };
  const connect = async (): Promise<Redis> => {
    const redis = await connectRedis(settingsWith(overrides), { name: 'test', logger: silentLogger() });
    closers.push(() => redis.quit());
    return redis;
  };
  const one = make(overrides, { redis: await connect() });
  const other = make(overrides, { redis: await connect() });
  await Promise.all([one, other, one, other].map((each) => rejected(each.call(call, failing(1, throttled).work))));
  const seen = await waitFor(async () => {
    const [a] = await one.breakers();
    const [b] = await other.breakers();
    return a?.state === 'open' && b?.state === 'open' && [a, b];
  });
  expect(seen[0]?.consecutive_failures).toBe(4);
  expect(await rejected(other.call(call, failing(0, throttled).work))).toMatchObject({ code: 'unavailable' });

  expect(await one.reset('bedrock:ConverseStream')).toBe(true);
  expect(await one.reset('nobody:knows')).toBe(false);
  await waitFor(async () => (await other.breakers()).every((breaker) => breaker.state === 'closed'));
  await expect(other.call(call, failing(0, throttled).work)).resolves.toBe('answer');
});

test('without Redis a process decides alone and loses no time', async () => {
  const dead = settingsWith({ redis: { url: 'redis://127.0.0.1:1', connect_timeout_ms: 50 } });
  const redis = await connectRedis(dead, { name: 'test', logger: silentLogger() });
  closers.push(() => Promise.resolve(redis.disconnect()));
  const resilience = make({ retry: { bedrock: { max_retries: 0 } } }, { redis });
  const started = Date.now();
  for (let i = 0; i < 3; i += 1) await rejected(resilience.call(call, failing(1, throttled).work));
  expect(resilience.isOpen('bedrock', 'ConverseStream')).toBe(true);
  expect(Date.now() - started).toBeLessThan(1000);
});

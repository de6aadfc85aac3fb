import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { startRedis, waitFor, type OwnRedis } from '@manuel/testing';
import { Client } from '../../scripts/support/client.ts';
import { startTestStack, type TestStack } from '../support/test-stack.ts';

let redis: OwnRedis;
let house: TestStack;
let demo: Client;

beforeAll(async () => {
  redis = await startRedis({ persist: true });
  house = await startTestStack({ REDIS_URL: redis.url, RATE_LIMIT_REQUESTS: '2000' });
  demo = await Client.signedIn(house.stack.url, 'demo@example.com');
}, 120_000);

afterAll(async () => {
  await house.close();
  await redis.close();
}, 60_000);

const ask = () =>
  demo.fetch('/api/query', {
    json: { question: `Is it still there at ${Date.now()}?` },
    headers: { prefer: 'wait=20' },
  });

test.each(['SIGKILL', 'SIGSTOP'] as const)(
  'Redis gone by %s: 503 within a second, and all works again when it is back',
  async (signal) => {
    expect((await ask()).status).toBe(200);
    await redis.stop(signal);
    const started = performance.now();
    const refused = await ask();
    const took = performance.now() - started;
    expect(refused.status).toBe(503);
    expect(refused.headers.get('content-type')).toMatch(/^application\/problem\+json/);
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
    expect(await refused.json()).toMatchObject({ code: 'unavailable', retryable: true });
    // The contract's own limit, with room for a busy machine.
    expect(took).toBeLessThan(2000);
    await redis.start();
    await waitFor(async () => (await ask()).status === 200, { timeoutMs: 30_000, everyMs: 200, what: 'answers again' });
  },
  90_000,
);

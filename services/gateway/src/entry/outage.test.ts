import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import type { JobView, Problem } from '@manuel/contracts';
import { type OwnRedis, startRedis, waitFor } from '@manuel/testing';
import { startQueryWorker } from '../test-support/query-worker.ts';
import { type TestGateway, type TestWorld, startTestWorld } from '../test-support/start-test-gateway.ts';

let world: TestWorld;
let redis: OwnRedis;
let gateway: TestGateway;
let headers: Record<string, string>;

beforeAll(async () => {
  world = await startTestWorld(process.env);
  redis = await startRedis();
  headers = { authorization: `Bearer ${await world.token()}`, 'content-type': 'application/json' };
  gateway = await world.gateway({ redis: { url: redis.url, prefix: '{outage}' } });
});
afterAll(async () => {
  await world.close();
  await redis.close();
});

const ask = (url = gateway.url) =>
  fetch(`${url}/api/query`, { method: 'POST', headers, body: JSON.stringify({ question: 'How do I descale it?' }) });

const works = () =>
  waitFor(async () => (await ask()).status === 202, { what: 'the gateway to work again', everyMs: 100 });

/** 503, and how long it took, milliseconds. */
async function unavailable(send: () => Promise<Response>): Promise<number> {
  const started = performance.now();
  const response = await send();
  const took = performance.now() - started;
  expect([response.status, ((await response.json()) as Problem).code]).toEqual([503, 'unavailable']);
  expect(Number(response.headers.get('retry-after'))).toBeGreaterThan(0);
  return took;
}

/** The quickest of three counts: on a busy machine any one of them may have waited for the processor. */
async function expectUnavailable(send: () => Promise<Response>): Promise<void> {
  const took = [await unavailable(send), await unavailable(send), await unavailable(send)];
  expect(Math.min(...took)).toBeLessThan(1000);
}

const get = (path: string) => fetch(`${gateway.url}${path}`, { headers });

beforeEach(works);

test.each(['SIGKILL', 'SIGSTOP'] as const)(
  'Redis gone by %s: 503 within a second, and all works when it is back',
  async (signal) => {
    await redis.stop(signal);
    try {
      await expectUnavailable(ask);
      await Promise.all(Array.from({ length: 20 }, () => unavailable(ask)));
      await expectUnavailable(() => get('/api/user/quota'));
      await expectUnavailable(() => fetch(`${gateway.url}/api/ws-ticket`, { method: 'POST', headers }));
      expect((await get('/livez')).status).toBe(200);
      const readiness = await get('/readyz');
      expect([readiness.status, await readiness.json()]).toEqual([
        503,
        { status: 'unavailable', reason: 'Redis cannot be reached' },
      ]);
      // What the ledger knows is still told.
      expect((await get('/api/manuals')).status).toBe(200);
    } finally {
      await redis.start();
    }
    await works();
    expect((await get('/readyz')).status).toBe(200);
  },
);

test('nothing is stored for a recording or manual that cannot be admitted', async () => {
  const before = await world.calls();
  await redis.stop('SIGKILL');
  try {
    const content = Buffer.from('Plug it in, then press the button for three seconds.').toString('base64');
    const body = JSON.stringify({ filename: 'a.txt', content_type: 'text/plain', content });
    await expectUnavailable(() => fetch(`${gateway.url}/api/manuals/upload`, { method: 'POST', headers, body }));
  } finally {
    await redis.start();
  }
  expect((await world.calls())['s3']?.['PutObject']).toBe(before['s3']?.['PutObject']);
  expect(((await (await get('/api/manuals')).json()) as { items: unknown[] }).items).toEqual([]);
});

test('a gateway that starts without Redis answers 503, and works when Redis comes', async () => {
  const dead = await startRedis();
  await dead.stop('SIGKILL');
  const early = await world.gateway({ redis: { url: dead.url, prefix: '{early}' } });
  try {
    expect((await fetch(`${early.url}/livez`)).status).toBe(200);
    expect((await fetch(`${early.url}/readyz`)).status).toBe(503);
    await expectUnavailable(() => ask(early.url));
    await dead.start();
    await waitFor(async () => (await ask(early.url)).status === 202, {
      what: 'the early gateway to work',
      everyMs: 100,
    });
  } finally {
    await early.close();
    await dead.close();
  }
});

test('AWS that fails is a problem of ours, said in our words', async () => {
  const fault = (body: unknown) =>
    fetch(`${world.aws.endpoint}/_chaos`, { method: 'POST', body: JSON.stringify(body) });
  await fault({ service: 'dynamodb', fault: 'error' });
  try {
    const response = await ask();
    const text = await response.text();
    expect(response.status).toBe(503);
    expect(text).not.toMatch(/dynamo|InternalServer|arn:|127\.0\.0\.1/i);
  } finally {
    await fetch(`${world.aws.endpoint}/_chaos`, { method: 'DELETE' });
  }
});

test('a stop lets what runs end, answers those who wait, and takes no more', async () => {
  const stopping = await world.gateway({ redis: { prefix: `${world.redis.prefix}stop` } });
  const gate = Promise.withResolvers<void>();
  const worker = await startQueryWorker(stopping.gateway, () => gate.promise);
  const started = await ask(stopping.url);
  const job = (await started.json()) as JobView;
  const waiting = fetch(`${stopping.url}${job.links.self}`, {
    headers: { ...headers, prefer: 'wait=30' },
  });
  const streaming = fetch(`${stopping.url}${job.links.events}`, { headers });
  // The stream's headers come when it is subscribed; the other request was sent before it.
  const opened = await streaming;
  expect(opened.status).toBe(200);
  const begun = performance.now();
  const [answer, told] = await Promise.all([waiting, opened.text(), stopping.close()]);
  expect(performance.now() - begun).toBeLessThan(3000);
  expect([answer.status, ((await answer.json()) as JobView).id]).toEqual([200, job.id]);
  expect(told).toContain('event: ');
  await expect(ask(stopping.url)).rejects.toThrow('fetch failed');
  gate.resolve();
  await worker.close(1000);
});

test('the process says ready, stops on SIGTERM, and stays up without Redis', async () => {
  const main = fileURLToPath(new URL('../main.ts', import.meta.url));
  const child = spawn(process.execPath, [main], {
    env: {
      ...process.env,
      NODE_OPTIONS: '',
      PORT: '0',
      REDIS_URL: 'redis://127.0.0.1:1',
      COGNITO_ISSUER: world.aws.config['issuer'] ?? '',
      COGNITO_JWKS_URI: world.aws.config['jwks_uri'] ?? '',
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  try {
    let output = '';
    child.stdout.on('data', (data: Buffer) => (output += data.toString('utf8')));
    const url = await waitFor(() => /"message":"ready","url":"([^"]+)"/.exec(output)?.[1], { what: 'the line ready' });
    expect((await fetch(`${url}/livez`)).status).toBe(200);
    const exited = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGTERM');
    expect(await exited).toBe(0);
  } finally {
    child.kill('SIGKILL');
  }
});

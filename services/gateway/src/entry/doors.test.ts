import { request as httpRequest } from 'node:http';
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import type { SettingsOverrides } from '@manuel/settings';
import type { Problem } from '@manuel/contracts';
import { createAllowlist } from './http/allowlist.ts';
import { type TestGateway, type TestWorld, startTestWorld } from '../test-support/start-test-gateway.ts';

let world: TestWorld;
let gateway: TestGateway;
let token: string;
const open: TestGateway[] = [];

beforeAll(async () => {
  world = await startTestWorld(process.env);
  gateway = await world.gateway();
  token = await world.token();
});
afterEach(async () => {
  await Promise.all(open.splice(0).map((started) => started.close()));
});
afterAll(() => world.close());

async function start(overrides: SettingsOverrides): Promise<TestGateway> {
  const started = await world.gateway(overrides);
  open.push(started);
  return started;
}
const get = (url: string, headers: Record<string, string> = {}) => fetch(url, { headers });
const quota = (from: TestGateway, headers: Record<string, string> = {}) =>
  get(`${from.url}/api/user/quota`, { authorization: `Bearer ${token}`, ...headers });
const codeOf = async (response: Response) => [response.status, ((await response.json()) as Problem).code];

test.each<[string, Record<string, string>]>([
  ['no token', {}],
  ['another scheme', { authorization: 'Basic ZGVtbzpkZW1v' }],
  ['an empty token', { authorization: 'Bearer ' }],
  ['a made-up token', { authorization: 'Bearer a.b.c' }],
  ['a token in a cookie', { cookie: 'manuel_ops=a.b.c' }],
])('%s is 401 and says how to sign in', async (_what, headers) => {
  const response = await get(`${gateway.url}/api/jobs`, headers);
  expect(response.headers.get('www-authenticate')).toBe('Bearer realm="manuel"');
  expect(await codeOf(response)).toEqual([401, 'unauthenticated']);
});

test('what is open is open', async () => {
  for (const path of [
    '/',
    '/livez',
    '/readyz',
    '/openapi.json',
    '/docs',
    '/docs.css',
    '/config.json',
    '/chat/main.js',
  ]) {
    expect([path, (await get(gateway.url + path)).status]).toEqual([path, 200]);
  }
  const config = (await (await get(`${gateway.url}/config.json`)).json()) as Record<string, unknown>;
  expect(config).toEqual({
    region: 'eu-west-1',
    user_pool_id: world.aws.config['user_pool_id'],
    client_id: world.aws.config['client_id'],
    cognito_endpoint: world.aws.endpoint,
  });
});

test('every answer is guarded and bears its id', async () => {
  const page = await get(gateway.url);
  const policy = page.headers.get('content-security-policy') ?? '';
  expect(policy).toContain("default-src 'none'");
  expect(policy).toContain(`connect-src 'self' ${new URL(world.aws.endpoint).origin}`);
  expect(policy).not.toContain('unsafe');
  expect(await page.text()).not.toMatch(/<script(?![^>]*src=)|style=|onclick=/);
  for (const path of ['/', '/livez', '/nothing', '/api/jobs']) {
    const { headers } = await get(gateway.url + path);
    expect(headers.get('x-content-type-options')).toBe('nosniff');
    expect(headers.get('x-frame-options')).toBe('DENY');
    expect(headers.get('x-powered-by')).toBeNull();
    expect(headers.get('x-request-id')).toMatch(/^[0-9a-f-]{36}$/);
  }
});

test('a request id is kept when it is harmless, a trace goes on', async () => {
  const traceparent = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';
  const kept = await get(`${gateway.url}/livez`, { 'x-request-id': 'abc:1/2', traceparent });
  expect([kept.headers.get('x-request-id'), kept.headers.get('traceparent')]).toEqual(['abc:1/2', traceparent]);
  for (const bad of ['a b', '<script>', 'x'.repeat(129), '"', 'ä']) {
    const made = await get(`${gateway.url}/livez`, { 'x-request-id': bad, traceparent: '00-0-0-0' });
    expect(made.headers.get('x-request-id')).toMatch(/^[0-9a-f-]{36}$/);
    expect(made.headers.get('traceparent')).toBeNull();
  }
});

test('a wrong method is told what is allowed', async () => {
  const response = await fetch(`${gateway.url}/api/feedback`, { method: 'PUT' });
  expect(response.headers.get('allow')).toBe('POST');
  expect(await codeOf(response)).toEqual([405, 'method_not_allowed']);
  const options = await fetch(`${gateway.url}/api/jobs`, { method: 'OPTIONS' });
  expect([options.status, options.headers.get('allow')]).toEqual([204, 'HEAD, GET']);
});

test('browsers of the allowed origins may call, others may not', async () => {
  const strict = await start({ cors: { origins: ['https://app.example'] } });
  const preflight = (origin: string) =>
    fetch(`${strict.url}/api/query`, {
      method: 'OPTIONS',
      headers: { origin, 'access-control-request-method': 'POST', 'access-control-request-headers': 'authorization' },
    });
  const allowed = await preflight('https://app.example');
  expect(allowed.status).toBe(204);
  expect(allowed.headers.get('access-control-allow-origin')).toBe('https://app.example');
  expect(allowed.headers.get('access-control-allow-headers')).toMatch(/Authorization/);
  expect(allowed.headers.get('access-control-allow-credentials')).toBeNull();
  expect((await preflight('https://evil.example')).headers.get('access-control-allow-origin')).toBeNull();
  const any = await get(`${gateway.url}/config.json`, { origin: 'https://evil.example' });
  expect(any.headers.get('access-control-allow-origin')).toBe('*');
});

test('rate limits: draft-8 headers, then 429 with Retry-After, over all gateways', async () => {
  const limits: SettingsOverrides = { rate_limit: { requests: 5 }, redis: { prefix: `${world.redis.prefix}limits` } };
  const [one, two] = [await start(limits), await start(limits)];
  const first = await quota(one);
  expect(first.status).toBe(200);
  expect(first.headers.get('ratelimit')).toMatch(/^"address"; r=4; t=\d+, "user"; r=4; t=\d+$/);
  expect(first.headers.get('ratelimit-policy')).toMatch(
    /^"address"; q=5; w=60; pk=:[^:]+:, "user"; q=5; w=60; pk=:[^:]+:$/,
  );
  const statuses: number[] = [];
  for (let i = 0; i < 6; i += 1) statuses.push((await quota(i % 2 === 0 ? two : one)).status);
  expect(statuses).toEqual([200, 200, 200, 200, 429, 429]);
  const refused = await quota(one);
  expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(50);
  expect(await codeOf(refused)).toEqual([429, 'rate_limited']);
  // Health is asked by those who must not be refused.
  expect((await get(`${one.url}/livez`)).status).toBe(200);
});

test('an address that guesses tokens is limited before its token is looked at', async () => {
  const limited = await start({ rate_limit: { requests: 3 }, redis: { prefix: `${world.redis.prefix}guess` } });
  const guess = () => quota(limited, { authorization: 'Bearer a.b.c' });
  expect((await Promise.all([guess(), guess(), guess()])).map(({ status }) => status)).toEqual([401, 401, 401]);
  expect(await codeOf(await guess())).toEqual([429, 'rate_limited']);
});

test('the allowlist takes the address of the trusted hops only', async () => {
  const listed = await start({ ip_allowlist: ['203.0.113.0/24'], http: { trusted_proxies: 1 } });
  const from = (forwarded: string) => quota(listed, { 'x-forwarded-for': forwarded });
  expect((await from('203.0.113.7')).status).toBe(200);
  expect(await codeOf(await from('198.51.100.1'))).toEqual([403, 'ip_not_allowed']);
  // The client wrote the first of these itself; our own proxy the last.
  expect(await codeOf(await from('203.0.113.7, 198.51.100.1'))).toEqual([403, 'ip_not_allowed']);
  const untrusting = await start({ ip_allowlist: ['203.0.113.0/24'] });
  expect(await codeOf(await quota(untrusting, { 'x-forwarded-for': '203.0.113.7' }))).toEqual([403, 'ip_not_allowed']);
  expect(
    (await (await start({ ip_allowlist: ['127.0.0.0/8', '::1'] })).gateway.tokens.verify(token)).userId,
  ).toBeTruthy();
});

test.each([
  [[], '198.51.100.1', true],
  [['10.0.0.0/8'], '10.1.2.3', true],
  [['10.0.0.0/8'], '::ffff:10.1.2.3', true],
  [['::ffff:10.0.0.0/104'], '10.1.2.3', true],
  [['10.0.0.0/8'], '11.0.0.1', false],
  [['10.0.0.1'], '10.0.0.2', false],
  [['2001:db8::/32'], '2001:db8:1::1', true],
  [['2001:db8::/32'], '2001:db9::1', false],
  [['0.0.0.0/0'], '2001:db8::1', false],
  [['10.0.0.0/8'], undefined, false],
  [['10.0.0.0/8'], 'no address', false],
])('allowlist %j and %s: %s', (entries, address, expected) => {
  expect(createAllowlist(entries)(address)).toBe(expected);
});

test('an allowlist that is none stops the start with its reason', () => {
  expect(() => createAllowlist(['10.0.0.0/33'])).toThrow('IP_ALLOWLIST: given "10.0.0.0/33"');
});

test('a client that sends half a body and goes leaves the gateway as it was', async () => {
  const socketClosed = Promise.withResolvers<void>();
  const half = httpRequest(`${gateway.url}/api/query`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json', 'content-length': '1000' },
  });
  half.on('error', () => socketClosed.resolve());
  half.write('{"question": "How', () => half.destroy(new Error('gone')));
  await socketClosed.promise;
  expect((await quota(gateway)).status).toBe(200);
});

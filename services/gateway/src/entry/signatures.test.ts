import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Problem } from '@manuel/contracts';
import { sha256Hex } from '../domain/canonical-json.ts';
import { signatureOf } from '../domain/check-signature.ts';
import { type TestGateway, type TestWorld, startTestWorld } from '../test-support/start-test-gateway.ts';
import { TestClient } from '../test-support/web-socket-client.ts';

let world: TestWorld;
let required: TestGateway;
let optional: TestGateway;
let off: TestGateway;
let token: string;

beforeAll(async () => {
  world = await startTestWorld(process.env);
  const hmac_keys = 'old:secret-1,new:secret:2';
  required = await world.gateway({ security: { hmac: 'required', hmac_keys } });
  optional = await world.gateway({ security: { hmac: 'optional', hmac_keys } });
  off = await world.gateway({ security: { hmac: 'off', hmac_keys } });
  token = await world.token('ops@example.com');
});
afterAll(() => world.close());

interface Signed {
  readonly key?: string;
  readonly secret?: string;
  readonly t?: number;
  readonly nonce?: string;
  readonly method?: string;
  readonly target?: string;
  readonly body?: string;
}

const path = '/api/ops/users/somebody/quota?x=1';
const body = JSON.stringify({ daily_limit: 9 });

/** A signature over the request that `put` sends, or over another. */
function sign(of: Signed = {}): string {
  const { key = 'new', secret = 'secret:2', t = Math.floor(Date.now() / 1000), nonce = randomUUID() } = of;
  const request = { method: of.method ?? 'PUT', target: of.target ?? path, bodySha256: sha256Hex(of.body ?? body) };
  return `t=${t},k=${key},n=${nonce},v1=${signatureOf(secret, { t, nonce }, request)}`;
}

async function put(to: TestGateway, signature?: string): Promise<[status: number, code?: string]> {
  const headers: Record<string, string> = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
  if (signature !== undefined) headers['x-signature'] = signature;
  const response = await fetch(to.url + path, { method: 'PUT', headers, body });
  return response.status === 200 ? [200] : [response.status, ((await response.json()) as Problem).code];
}

const refused: [number, string] = [401, 'signature_invalid'];

test('a sensitive operation needs a signature where it is required, and only there', async () => {
  expect(await put(required)).toEqual(refused);
  expect(await put(required, sign())).toEqual([200]);
  expect(await put(required, sign({ key: 'old', secret: 'secret-1' }))).toEqual([200]);
  expect(await put(optional)).toEqual([200]);
  expect(await put(off, 'nonsense')).toEqual([200]);
  const headers = { authorization: `Bearer ${token}` };
  expect((await fetch(`${required.url}/api/user/quota`, { headers })).status).toBe(200);
  const gone = await fetch(`${required.url}/api/manuals/man_01KFA8VQ2S8N4J6H0G3F5E7D9C`, { method: 'DELETE', headers });
  expect(gone.status).toBe(401);
});

test('a message on /ws cannot do unsigned what must be signed', async () => {
  for (const [gateway, code] of [
    [required, 'signature_invalid'],
    [optional, 'not_found'],
  ] as const) {
    const client = new TestClient(`${gateway.url}/ws`, { headers: { authorization: `Bearer ${token}` } });
    const body = { manual_id: 'man_01KFA8VQ2S8N4J6H0G3F5E7D9C' };
    client.send({ type: 'submit', operation: 'delete', ref: 'gone', body });
    expect(await client.next('error')).toMatchObject({ ref: 'gone', problem: { code } });
    await client.close();
  }
});

test.each(['1', 'a+b/c==', 'x'.repeat(128)])('a nonce may be any word: %s', async (nonce) => {
  expect(await put(required, sign({ nonce }))).toEqual([200]);
});

test.each<[string, () => string]>([
  ['has no nonce', () => sign({ nonce: '' })],
  ['has a nonce without end', () => sign({ nonce: 'x'.repeat(129) })],
  ['is nonsense', () => 'nonsense'],
  ['is by a key that nobody has', () => sign({ key: 'other' })],
  ['is by a wrong secret', () => sign({ secret: 'guess' })],
  ['is six minutes old', () => sign({ t: Math.floor(Date.now() / 1000) - 360 })],
  ['is six minutes ahead', () => sign({ t: Math.floor(Date.now() / 1000) + 360 })],
  ['is for another method', () => sign({ method: 'POST' })],
  ['is for another query', () => sign({ target: '/api/ops/users/somebody/quota?x=2' })],
  ['is for another body', () => sign({ body: '{"daily_limit":9000}' })],
])('a signature that %s is refused, also where none is needed', async (_what, signature) => {
  expect(await put(required, signature())).toEqual(refused);
  expect(await put(optional, signature())).toEqual(refused);
});

test('a nonce is good once, on all gateways', async () => {
  const signature = sign();
  expect(await put(required, signature)).toEqual([200]);
  expect(await put(required, signature)).toEqual(refused);
  expect(await put(optional, signature)).toEqual(refused);
});

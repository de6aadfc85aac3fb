import { connect } from 'node:net';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { problemSchema } from '@manuel/contracts';
import { type TestGateway, type TestWorld, startTestWorld } from '../test-support/start-test-gateway.ts';

let world: TestWorld;
let gateway: TestGateway;
beforeAll(async () => {
  world = await startTestWorld(process.env);
  gateway = await world.gateway();
});
afterAll(() => world.close());

interface RawAnswer {
  readonly status: number;
  readonly headers: Record<string, string>;
  readonly body: string;
}

/** Sends these very bytes and reads until the server ends the connection. */
function sent(text: string): Promise<RawAnswer> {
  return new Promise((resolve, reject) => {
    const socket = connect(Number(new URL(gateway.url).port), '127.0.0.1', () => socket.write(text));
    let answer = '';
    socket.on('data', (data: Buffer) => (answer += data.toString('utf8')));
    socket.on('error', reject);
    socket.on('close', () => {
      const [head = '', body = ''] = answer.split('\r\n\r\n', 2);
      const [statusLine = '', ...lines] = head.split('\r\n');
      const headers = lines.map((line) => [line.split(': ', 1)[0]?.toLowerCase() ?? '', line.split(': ')[1] ?? '']);
      resolve({ status: Number(statusLine.split(' ')[1]), headers: Object.fromEntries(headers), body });
    });
  });
}

const lines = (...all: string[]): string => `${all.join('\r\n')}\r\n\r\n`;
const here = ['Host: gateway', 'Connection: close'];

test.each([
  ['malformed', lines('HELLO gateway'), 400, 'validation_failed'],
  ['of an unknown method', lines('BREW /api/query HTTP/1.1', ...here), 400, 'validation_failed'],
  ['of a wrong length', lines('POST /api/query HTTP/1.1', ...here, 'Content-Length: many'), 400, 'validation_failed'],
  ['without a host', lines('GET /livez HTTP/1.1', 'Connection: close'), 400, 'validation_failed'],
  [
    'with too large a header',
    lines('GET /livez HTTP/1.1', ...here, `X-Large: ${'x'.repeat(20_000)}`),
    431,
    'headers_too_large',
  ],
  ['with too long an address', lines(`GET /${'x'.repeat(20_000)} HTTP/1.1`, ...here), 431, 'headers_too_large'],
  [
    'for a WebSocket without a key',
    lines('GET /ws HTTP/1.1', 'Host: gateway', 'Connection: Upgrade', 'Upgrade: websocket'),
    401,
    'unauthenticated',
  ],
])('a request %s is answered with a problem', async (_what, text, status, code) => {
  const answer = await sent(text);
  expect(answer.status).toBe(status);
  expect(answer.headers['content-type']).toBe('application/problem+json');
  const problem = problemSchema.parse(JSON.parse(answer.body));
  expect(problem).toMatchObject({ status, code, request_id: answer.headers['x-request-id'] });
});

test('a handshake that is none is answered with a problem, for a caller who may connect', async () => {
  const authorization = `Authorization: Bearer ${await world.token()}`;
  const upgrade = ['Host: gateway', 'Connection: Upgrade', 'Upgrade: websocket', authorization];
  const answer = await sent(lines('GET /ws HTTP/1.1', ...upgrade));
  expect([answer.status, answer.headers['content-type']]).toEqual([400, 'application/problem+json']);
  expect(problemSchema.parse(JSON.parse(answer.body)).detail).toMatch(/handshake/);
});

test.each([
  ['offers HTTP/2', ['Connection: Upgrade, HTTP2-Settings', 'Upgrade: h2c', 'HTTP2-Settings: AAMAAABkAAQAAP__']],
  ['expects what nobody knows', ['Connection: close', 'Expect: tea']],
])('a client that %s is answered all the same', async (_what, headers) => {
  const answer = await sent(lines('GET /livez HTTP/1.0', 'Host: gateway', ...headers));
  expect([answer.status, JSON.parse(answer.body)]).toEqual([200, { status: 'live' }]);
});

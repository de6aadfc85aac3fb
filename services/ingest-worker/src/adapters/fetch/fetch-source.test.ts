import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { Agent as HttpAgent, createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import { type AddressInfo, connect, type LookupFunction } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { settingsWith, type SettingsOverrides } from '@manuel/settings';
import type { FetchPolicy } from './fetch-agents.ts';
import { createFetchSource } from './fetch-source.ts';
import { isPublicAddress } from './public-address.ts';

type Answer = (request: IncomingMessage, response: ServerResponse) => void;

/** Where a socket would have gone: nothing leaves this machine, every connection ends at the server on loopback. */
const connections: string[] = [];
const original = { http: HttpAgent.prototype.createConnection, https: HttpsAgent.prototype.createConnection };
let servers: Server[];
let port: number;
let port6: number | undefined;
let requests: string[];
let answer: Answer;
let folder: string;

/** Resolves as Node would, notes the address, and connects to our own server instead. */
const record = function (
  this: unknown,
  options: { host?: string; port?: number | string; lookup?: LookupFunction },
  listener: (error: Error | null, socket?: unknown) => void,
) {
  const host = String(options.host);
  const go = (address: string): void => {
    connections.push(`${address}:${options.port}`);
    const socket = connect(port, '127.0.0.1', () => listener(null, socket));
    socket.once('error', (error) => listener(error));
  };
  if (/^[\d.]+$|:/.test(host)) go(host);
  else {
    options.lookup?.(host, { all: false }, (error, address) => (error ? listener(error) : go(String(address))));
  }
};

beforeAll(async () => {
  const listen = async (host: string): Promise<Server> => {
    const server = createServer((request, response) => {
      requests.push(request.url ?? '');
      answer(request, response);
    });
    await new Promise<void>((resolve, reject) => server.once('error', reject).listen(0, host, resolve));
    return server;
  };
  const six = await listen('::1').catch(() => undefined);
  const four = await listen('127.0.0.1');
  servers = [four, ...(six ? [six] : [])];
  port = (four.address() as AddressInfo).port;
  port6 = six && (six.address() as AddressInfo).port;
  folder = await mkdtemp(join(tmpdir(), 'fetch-'));
  // The one seam beneath the filtering agents: what they let through arrives here.
  Object.assign(HttpAgent.prototype, { createConnection: record });
  Object.assign(HttpsAgent.prototype, { createConnection: record });
});
beforeEach(() => {
  connections.length = 0;
  requests = [];
  answer = (_request, response) => response.end('a manual');
});
afterAll(async () => {
  Object.assign(HttpAgent.prototype, { createConnection: original.http });
  Object.assign(HttpsAgent.prototype, { createConnection: original.https });
  for (const server of servers) {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
  await rm(folder, { recursive: true, force: true });
});

const publicAddress = '93.184.215.14';
const names: Record<string, readonly string[]> = {
  'manuals.example.com': [publicAddress],
  'bücher.example.com': [publicAddress],
  'rebound.example.com': ['127.0.0.1'],
  'mixed.example.com': [publicAddress, '10.0.0.7'],
  'six.example.com': ['::1'],
  'mapped.example.com': ['::ffff:127.0.0.1'],
  'metadata.example.com': ['169.254.169.254'],
  'nothing.example.com': [],
};
let asked: string[] = [];
/** A resolver of our own. */
const lookup: LookupFunction = (host, _options, callback) => {
  asked.push(host);
  const found = names[host];
  if (!found) return callback(Object.assign(new Error('not found'), { code: 'ENOTFOUND' }), '', 0);
  callback(
    null,
    found.map((address) => ({ address, family: address.includes(':') ? 6 : 4 })),
  );
};

function fetchFrom(url: string, over: SettingsOverrides['ingest'] = {}, policy: Partial<FetchPolicy> = {}) {
  asked = [];
  const fetchSource = createFetchSource(settingsWith({ ingest: over }), { lookup, ...policy });
  return fetchSource(url, join(folder, 'file'), new AbortController().signal);
}
const refused = expect.objectContaining({ code: 'fetch_refused', retryable: false });

/** Every way we know to name a place inside. PORT and PORT6 are those of our own servers, which must see nothing. */
const forms = `
http://127.0.0.1:PORT/  http://127.1:PORT/  http://127.0.1:PORT/  http://127.255.255.254:PORT/  http://2130706433:PORT/
http://0x7f000001:PORT/  http://0x7f.0.0.1:PORT/  http://0x7f.1:PORT/  http://017700000001:PORT/  http://0177.0.0.1:PORT/
http://0177.0x0.0.01:PORT/  http://127.0.0.1.:PORT/  http://%31%32%37.0.0.1:PORT/  http://１２７.０.０.１:PORT/  http://①②⑦.⓪.⓪.①:PORT/
http://127。0。0。1:PORT/  http://0:PORT/  http://0.0.0.0:PORT/  http://00000.0:PORT/  https://127.0.0.1:PORT/
http://[::1]:PORT6/  http://[0:0:0:0:0:0:0:1]:PORT6/  http://[0000:0000:0000:0000:0000:0000:0000:0001]:PORT6/  http://[::]:PORT6/
http://[::ffff:127.0.0.1]:PORT/  http://[::ffff:7f00:1]:PORT/  http://[0:0:0:0:0:ffff:127.0.0.1]:PORT/  http://[::127.0.0.1]:PORT/  http://[::ffff:0:127.0.0.1]:PORT/
http://[::ffff:10.0.0.1]/  http://[::ffff:169.254.169.254]/  http://[64:ff9b::7f00:1]/  http://[64:ff9b::a9fe:a9fe]/  http://[64:ff9b:1::1]/
http://[2002:7f00:1::]/  http://[2002:a9fe:a9fe::1]/  http://[2001::1]/  http://[fe80::1]/  http://[fec0::1]/
http://[fc00::1]/  http://[fd00:ec2::254]/latest/meta-data/  http://[ff02::1]/  http://[100::1]/  http://[2001:db8::1]/
http://10.0.0.1/  http://10.255.255.255/  http://172.16.0.1/  http://172.31.255.254/  http://192.168.0.1/
http://192.168.1.1:8080/  http://169.254.169.254/latest/meta-data/iam/  http://169.254.170.2/v2/credentials  http://2852039166/  http://0xa9fea9fe/
http://0251.0376.0251.0376/  http://100.64.0.1/  http://100.100.100.200/  http://192.0.0.192/  http://192.0.2.1/
http://198.18.0.1/  http://198.51.100.7/  http://203.0.113.9/  http://224.0.0.1/  http://239.255.255.250/
http://240.0.0.1/  http://255.255.255.255/  http://0.1.2.3/
http://localhost:PORT/  http://LOCALHOST:PORT/  http://localhost.:PORT/  http://a.localhost:PORT/  http://printer.local/
http://metadata.google.internal/computeMetadata/v1/  http://router.lan/  http://intranet/  http://gateway:PORT/  http://nas.home.arpa/
http://rebound.example.com:PORT/  http://mixed.example.com/  http://six.example.com:PORT6/  http://mapped.example.com:PORT/  http://metadata.example.com/
http://user:secret@manuals.example.com/  http://user@manuals.example.com/  http://manuals.example.com@127.0.0.1:PORT/  http://manuals.example.com:22/  http://manuals.example.com:25/
http://manuals.example.com:6379/  http://manuals.example.com:9200/  https://manuals.example.com:23/  file:///etc/passwd  file://localhost/etc/passwd
ftp://manuals.example.com/a  gopher://127.0.0.1:6379/_INFO  data:text/plain,x  javascript:alert(1)  blob:http://manuals.example.com/1
ws://manuals.example.com/  dict://127.0.0.1:11211/stats  //127.0.0.1:PORT/  127.0.0.1:PORT  http://  http:///etc/passwd
`
  .trim()
  .split(/\s+/);

test(`none of ${forms.length} forms of an address inside is connected to`, async () => {
  expect(new Set(forms).size).toBeGreaterThanOrEqual(40);
  for (const form of forms) {
    const url = form.replace('PORT6', String(port6 ?? port)).replace('PORT', String(port));
    await expect(
      fetchFrom(url).then(
        () => `fetched ${form}`,
        (error: unknown) => error,
      ),
    ).resolves.toEqual(refused);
  }
  expect({ connections, requests }).toEqual({ connections: [], requests: [] });
});

test('the same holds for the filter alone, whatever the checks before it think', async () => {
  const checkUrl = (text: string): URL => new URL(text);
  for (const host of [
    '127.0.0.1',
    '[::1]',
    '[::ffff:7f00:1]',
    '10.1.2.3',
    'rebound.example.com',
    'mixed.example.com',
  ]) {
    await expect(fetchFrom(`http://${host}:${port}/`, {}, { checkUrl })).rejects.toEqual(refused);
  }
  expect({ connections, requests }).toEqual({ connections: [], requests: [] });
});

test('a public address is fetched: asked for once, pinned to the answer, told nothing of us', async () => {
  let seen: IncomingMessage['headers'] = {};
  answer = (request, response) => {
    seen = request.headers;
    response.setHeader(
      'content-disposition',
      `attachment; filename="plain.pdf"; filename*=UTF-8''K%C3%BChlschrank.pdf`,
    );
    response.end('a manual');
  };
  const fetched = await fetchFrom('http://manuals.example.com:8080/files/x?y=1');
  expect(fetched).toEqual({ bytes: 8, sha256: expect.stringMatching(/^[0-9a-f]{64}$/), filename: 'Kühlschrank.pdf' });
  expect(await readFile(join(folder, 'file'), 'utf8')).toBe('a manual');
  expect({ connections, asked, requests }).toEqual({
    connections: [`${publicAddress}:8080`],
    asked: ['manuals.example.com'],
    requests: ['/files/x?y=1'],
  });
  expect(seen).not.toHaveProperty('cookie');
  expect(seen).not.toHaveProperty('authorization');
  expect(await fetchFrom('http://bücher.example.com/a/Guide%20(2).pdf').catch((error: unknown) => error)).toMatchObject(
    { code: 'fetch_failed' },
  );
});

test('a name that changes its answer between question and connection is connected to where it was judged', async () => {
  let calls = 0;
  const rebinding: LookupFunction = (_host, _options, callback) => {
    calls += 1;
    const address = calls === 1 ? publicAddress : '127.0.0.1';
    callback(null, [{ address, family: 4 }]);
  };
  await fetchFrom('http://rebinder.example.com/', {}, { lookup: rebinding });
  expect({ calls, connections }).toEqual({ calls: 1, connections: [`${publicAddress}:80`] });
  // The next connection asks anew, is judged anew, and is refused.
  await expect(fetchFrom('http://rebinder.example.com/', {}, { lookup: rebinding })).rejects.toEqual(refused);
  expect(connections).toHaveLength(1);
});

test('each redirect is judged like the first address, and five are enough', async () => {
  const to = (location: string) => {
    answer = (request, response) => {
      if (request.url === '/start') response.writeHead(302, { location }).end();
      else response.end('a manual');
    };
    return fetchFrom('http://manuals.example.com/start');
  };
  expect(await to('/other')).toMatchObject({ bytes: 8 });
  expect(await to('//manuals.example.com/other')).toMatchObject({ bytes: 8 });
  const inside = [
    `http://127.0.0.1:${port}/`,
    `http://[::1]:${port}/`,
    'http://169.254.169.254/latest/meta-data/',
    `http://rebound.example.com:${port}/`,
    `//localhost:${port}/`,
    'file:///etc/passwd',
    'ftp://manuals.example.com/',
    'http://user:pw@manuals.example.com/',
    'http://manuals.example.com:22/',
    'http://[',
  ];
  for (const location of inside) await expect(to(location)).rejects.toEqual(refused);
  expect(requests.filter((path) => path !== '/start' && path !== '/other')).toEqual([]);
  expect(new Set(connections)).toEqual(new Set([`${publicAddress}:80`]));

  const chain = (length: number) => {
    answer = (request, response) => {
      const hop = Number(request.url?.slice(1));
      if (hop < length) response.writeHead(307, { location: `/${hop + 1}` }).end();
      else response.end('a manual');
    };
    return fetchFrom('http://manuals.example.com/0');
  };
  expect(await chain(5)).toMatchObject({ bytes: 8 });
  await expect(chain(6)).rejects.toMatchObject({ code: 'fetch_failed', retryable: false });
});

test('a server that misbehaves is told of, and worth another try only where that can help', async () => {
  const cases: [name: string, answer: Answer, expected: object, over?: SettingsOverrides['ingest']][] = [
    ['drips', (_, response) => drip(response), { code: 'fetch_failed', retryable: true }, { fetch_timeout_ms: 300 }],
    ['is mute', () => undefined, { code: 'fetch_failed', retryable: true }, { fetch_timeout_ms: 300 }],
    [
      'breaks off',
      (_, response) =>
        void response.writeHead(200, { 'content-length': 100 }).write('ten bytes.', () => response.destroy()),
      { code: 'fetch_failed', retryable: true },
    ],
    [
      'announces too much',
      (_, response) => void response.writeHead(200, { 'content-length': 2_000_000 }).write('x'),
      { code: 'payload_too_large' },
      { max_size_mb: 1 },
    ],
    [
      'sends too much',
      (_, response) => void response.end(Buffer.alloc(1_100_000)),
      { code: 'payload_too_large' },
      { max_size_mb: 1 },
    ],
    [
      'compresses',
      (_, response) => void response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync('x')),
      { code: 'fetch_failed', retryable: false },
    ],
    ['knows nothing', (_, response) => void response.writeHead(404).end(), { code: 'fetch_failed', retryable: false }],
    ['is ill', (_, response) => void response.writeHead(503).end(), { code: 'fetch_failed', retryable: true }],
  ];
  for (const [name, behaviour, expected, over] of cases) {
    answer = behaviour;
    const outcome = await fetchFrom('http://manuals.example.com/', over).then(
      () => 'fetched',
      (error: unknown) => error,
    );
    expect({ name, outcome }).toMatchObject({ name, outcome: expected });
  }
  await expect(fetchFrom('http://unknown.example.com/')).rejects.toMatchObject({
    code: 'fetch_failed',
    retryable: false,
  });
  await expect(fetchFrom('http://nothing.example.com/')).rejects.toEqual(refused);
});

function drip(response: ServerResponse): void {
  response.writeHead(200);
  const timer = setInterval(() => response.write('x'), 50);
  response.once('close', () => clearInterval(timer));
}

test('an aborted job ends its fetch at once', async () => {
  answer = () => undefined;
  const stop = new AbortController();
  const fetchSource = createFetchSource(settingsWith(), { lookup });
  const running = fetchSource('http://manuals.example.com/', join(folder, 'file'), stop.signal);
  stop.abort();
  await expect(running).rejects.toThrow();
});

test('addresses that are somebody’s public server are public', () => {
  for (const address of [
    '1.1.1.1',
    '93.184.215.14',
    '172.15.0.1',
    '172.32.0.1',
    '2606:4700::1111',
    '2a00:1450:4001::1',
  ]) {
    expect({ address, isPublic: isPublicAddress(address) }).toEqual({ address, isPublic: true });
  }
  for (const address of ['fe80::1%eth0', 'localhost', '', '::ffff:8.8.8.8'])
    expect(isPublicAddress(address)).toBe(false);
});

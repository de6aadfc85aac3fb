// A DynamoDB that says yes to everything, and the keys of a user pool, on one port: what is measured is the gateway. It reads
// no more of a request than it must, so that it takes as little as possible of the processors that are measured.
import { generateKeyPairSync } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { type AddressInfo, type Socket, createServer } from 'node:net';

const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
const jwks = JSON.stringify({
  keys: [{ ...publicKey.export({ format: 'jwk' }), kid: 'bench', alg: 'RS256', use: 'sig' }],
});
const keyFile = process.env['BENCH_KEY_FILE'];
if (keyFile) writeFileSync(keyFile, privateKey.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600 });

const answer = (type: string, body: string): string =>
  `HTTP/1.1 200 OK\r\ncontent-type: ${type}\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;
const dynamo = (body: string): string => answer('application/x-amz-json-1.0', body);

const answers: Readonly<Record<string, string>> = {
  BatchWriteItem: dynamo('{"UnprocessedItems":{}}'),
  Query: dynamo('{"Items":[],"Count":0,"ScannedCount":0}'),
  Scan: dynamo('{"Items":[],"Count":0,"ScannedCount":0}'),
  ListTables: dynamo('{"TableNames":[]}'),
  DescribeTable: dynamo('{"Table":{"TableStatus":"ACTIVE"}}'),
  CreateTable: dynamo('{"TableDescription":{"TableStatus":"ACTIVE"}}'),
};
const empty = dynamo('{}');
const inserted = (body: string): string =>
  dynamo(`{"Responses":[${Array.from(body.matchAll(/"Statement":"INSERT/g), () => '{}').join(',')}]}`);
const keys = answer('application/json', jwks);

/** Answers requests as they arrive, one after the other on each connection. */
function serve(socket: Socket): void {
  socket.setNoDelay(true);
  let head = '';
  let bodyLeft = 0;
  let reply = '';
  /** Of statements: there are as many answers as statements. */
  let body: string[] | undefined;
  socket.on('data', (chunk: Buffer) => {
    let at = 0;
    while (at < chunk.length) {
      if (bodyLeft === 0) {
        head += chunk.toString('latin1', at);
        at = chunk.length;
        const end = head.indexOf('\r\n\r\n');
        if (end < 0) return;
        const target = /^x-amz-target:[^.\r]*\.(\w+)/im.exec(head)?.[1];
        reply = target === undefined ? keys : (answers[target] ?? empty);
        body = target === 'BatchExecuteStatement' ? [] : undefined;
        const rest = head.length - end - 4;
        bodyLeft = Number(/^content-length: *(\d+)/im.exec(head.slice(0, end))?.[1] ?? 0);
        at -= rest;
        head = '';
      }
      const taken = Math.min(bodyLeft, chunk.length - at);
      body?.push(chunk.toString('latin1', at, at + taken));
      bodyLeft -= taken;
      at += taken;
      if (bodyLeft > 0) continue;
      socket.write(body ? inserted(body.join('')) : reply);
    }
  });
  // A client that goes away in the middle of a request is none of our business.
  socket.on('error', () => socket.destroy());
}

const server = createServer(serve);
server.listen(0, '127.0.0.1', () => {
  // A listening TCP server always has an AddressInfo.
  process.stdout.write(`ready http://127.0.0.1:${(server.address() as AddressInfo).port}\n`);
});
process.on('SIGTERM', () => process.exit(0));

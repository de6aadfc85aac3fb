// A DynamoDB that says yes to everything, and the keys of a user pool, on one port: what is measured is the gateway.
import { generateKeyPairSync } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
const jwks = JSON.stringify({
  keys: [{ ...publicKey.export({ format: 'jwk' }), kid: 'bench', alg: 'RS256', use: 'sig' }],
});
const keyFile = process.env['BENCH_KEY_FILE'];
if (keyFile) writeFileSync(keyFile, privateKey.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600 });

const answers: Readonly<Record<string, string>> = {
  BatchWriteItem: '{"UnprocessedItems":{}}',
  Query: '{"Items":[],"Count":0,"ScannedCount":0}',
  Scan: '{"Items":[],"Count":0,"ScannedCount":0}',
  ListTables: '{"TableNames":[]}',
  DescribeTable: '{"Table":{"TableStatus":"ACTIVE"}}',
  CreateTable: '{"TableDescription":{"TableStatus":"ACTIVE"}}',
};

const server = createServer((request, response) => {
  request.resume();
  request.on('end', () => {
    const target = String(request.headers['x-amz-target'] ?? '');
    const body = target ? (answers[target.split('.')[1] ?? ''] ?? '{}') : jwks;
    response.writeHead(200, { 'content-type': target ? 'application/x-amz-json-1.0' : 'application/json' }).end(body);
  });
});
server.keepAliveTimeout = 60_000;
server.listen(0, '127.0.0.1', () => {
  // A listening TCP server always has an AddressInfo.
  process.stdout.write(`ready http://127.0.0.1:${(server.address() as AddressInfo).port}\n`);
});
process.on('SIGTERM', () => process.exit(0));

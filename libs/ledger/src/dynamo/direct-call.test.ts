import { once } from 'node:events';
import { type AddressInfo, type Server, type Socket, createServer } from 'node:net';
import { afterAll, expect, test } from '@jest/globals';
import { newRow } from '../test-support/rows.ts';
import { testDependencies } from '../test-support/test-ledger.ts';
import { createLedger } from '../ledger.ts';

const servers: Server[] = [];
const sockets = new Set<Socket>();
afterAll(() => {
  for (const socket of sockets) socket.destroy();
  for (const server of servers) server.close();
});

/** A ledger whose DynamoDB answers every request with this text, as it stands. */
async function ledgerAnsweredBy(answer: string) {
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('close', () => sockets.delete(socket));
    socket.on('data', () => socket.write(answer));
  });
  servers.push(server);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  // A listening TCP server always has an AddressInfo.
  process.env['AWS_ENDPOINT_URL_DYNAMODB'] = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  process.env['AWS_ACCESS_KEY_ID'] = 'local';
  process.env['AWS_SECRET_ACCESS_KEY'] = 'local';
  return createLedger(testDependencies());
}

test('connections end with the ledger though only direct calls were made', async () => {
  const ledger = await ledgerAnsweredBy('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}');
  await ledger.jobs.add(newRow('user-1'));
  expect(sockets.size).toBe(1);
  const [socket] = sockets;
  const ended = socket && once(socket, 'close', { signal: AbortSignal.timeout(1000) });
  await ledger.close();
  await ended;
});

test('a call whose answer never becomes one fails in time', async () => {
  const ledger = await ledgerAnsweredBy(
    'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n',
  );
  await expect(ledger.jobs.add(newRow('user-1'))).rejects.toMatchObject({ code: 'unavailable' });
  await ledger.close();
}, 4000);

import { once } from 'node:events';
import { type AddressInfo, type Server, type Socket, createServer } from 'node:net';
import { afterAll, expect, test } from '@jest/globals';
import { settingsWith } from '@manuel/settings';
import { waitFor } from '@manuel/testing';
import { newRow } from '../test-support/rows.ts';
import { testDependencies } from '../test-support/test-ledger.ts';
import { createLedger } from '../ledger.ts';
import { connectDynamo } from './client.ts';
import { directCalls } from './direct-call.ts';

const servers: Server[] = [];
const sockets = new Set<Socket>();
afterAll(() => {
  for (const socket of sockets) socket.destroy();
  for (const server of servers) server.close();
});

/** A DynamoDB that does as it is told with what arrives; the clients made from here on talk to it. */
async function listenAsDynamoDb(onData: (socket: Socket, data: Buffer) => void): Promise<void> {
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('close', () => sockets.delete(socket));
    socket.on('data', (data: Buffer) => onData(socket, data));
  });
  servers.push(server);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  // A listening TCP server always has an AddressInfo.
  process.env['AWS_ENDPOINT_URL_DYNAMODB'] = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  process.env['AWS_ACCESS_KEY_ID'] = 'local';
  process.env['AWS_SECRET_ACCESS_KEY'] = 'local';
}

/** A ledger whose DynamoDB answers every request with this text, as it stands. */
async function ledgerAnsweredBy(answer: string) {
  await listenAsDynamoDb((socket) => socket.write(answer));
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

test('a call that was given up while it waited for a connection is never sent', async () => {
  const arrived: string[] = [];
  const held: Socket[] = [];
  await listenAsDynamoDb((socket, data) => {
    const body = /\d$/.exec(data.toString())?.[0];
    if (body === undefined) return;
    arrived.push(body);
    held.push(socket);
  });
  const answer = (): unknown => held.shift()?.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}');
  const settings = settingsWith({ pool: { max_connections: 1 } });
  const { call, close } = directCalls(connectDynamo(settings), settings);
  const forever = { abortSignal: new AbortController().signal };
  const first = call('UpdateItem', '1', forever);
  await waitFor(() => arrived.length === 1);
  const impatient = new AbortController();
  const late = call('UpdateItem', 'x', { abortSignal: AbortSignal.abort(new Error('too late before')) });
  await expect(late).rejects.toThrow('too late before');
  const second = call('UpdateItem', '2', { abortSignal: impatient.signal });
  const third = call('UpdateItem', '3', forever);
  // Both stand in line behind the first.
  await new Promise(setImmediate);
  impatient.abort(new Error('too late'));
  await expect(second).rejects.toThrow('too late');
  answer();
  expect(await first).toEqual({});
  await waitFor(() => arrived.length === 2);
  answer();
  expect(await third).toEqual({});
  expect(arrived).toEqual(['1', '3']);
  await close();
});

import { once } from 'node:events';
import { type AddressInfo, type Socket, connect, createServer } from 'node:net';

export interface HeldBack {
  readonly url: string;
  hold(): void;
  release(): void;
  close(): Promise<void>;
}

/** A line to a Redis on this machine whose replies can be held back, as on a host that is frozen or cut off. */
export async function startHeldBack(port: number): Promise<HeldBack> {
  const lines = new Set<{ readonly client: Socket; readonly redis: Socket }>();
  let held = false;
  const server = createServer((client) => {
    const line = { client, redis: connect(port, '127.0.0.1') };
    lines.add(line);
    client.pipe(line.redis);
    if (!held) line.redis.pipe(client);
    const end = (): void => {
      client.destroy();
      line.redis.destroy();
      lines.delete(line);
    };
    for (const socket of [client, line.redis]) socket.on('error', end).once('close', end);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    // Safe: a listening TCP server has an AddressInfo.
    url: `redis://127.0.0.1:${(server.address() as AddressInfo).port}`,
    hold() {
      held = true;
      for (const { client, redis } of lines) redis.unpipe(client).pause();
    },
    release() {
      held = false;
      for (const { client, redis } of lines) redis.pipe(client);
    },
    async close() {
      for (const { client } of lines) client.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

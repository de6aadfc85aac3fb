import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { WebSocket } from 'ws';
import { freePort } from '@manuel/testing';
import { Client } from '../../scripts/support/client.ts';
import { startStack } from '../../scripts/support/stack.ts';
import { rssMb } from '../support/processes.ts';
import type { Row, Scenario } from '../support/scenario.ts';

const questions = 300;
const sockets = 2000;

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

async function openSockets(url: string, token: string, count: number): Promise<WebSocket[]> {
  const opened: WebSocket[] = [];
  for (let n = 0; n < count; n += 100) {
    opened.push(
      ...(await Promise.all(
        Array.from({ length: Math.min(100, count - n) }, async () => {
          const socket = new WebSocket(`${url.replace('http', 'ws')}/ws`, {
            headers: { authorization: `Bearer ${token}` },
          });
          await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject));
          return socket;
        }),
      )),
    );
  }
  return opened;
}

export const footprint: Scenario = {
  name: 'footprint',
  title: 'Start to ready, and memory of each process',
  async run() {
    const localDir = await mkdtemp(join(tmpdir(), 'manuel-bench-'));
    const options = { port: await freePort(), awsLocalPort: await freePort(), redisPort: await freePort(), localDir };
    const env = {
      RATE_LIMIT_REQUESTS: '1000000',
      QUOTA_DAILY_LIMIT: '1000000',
      QUOTA_MONTHLY_LIMIT: '1000000',
      CACHE_ENABLED: 'false',
    };
    // The first start makes tables, keys and buckets; the second is the one that users have every day.
    await (await startStack({ ...options, env })).stop();
    const started = performance.now();
    const stack = await startStack({ ...options, env });
    const rows: Row[] = [
      { what: 'start to ready, all processes', ours: (performance.now() - started) / 1000, unit: 's' },
    ];
    try {
      await pause(2000);
      const pidOf = new Map([...stack.children].map(([name, child]) => [name, child.process.pid ?? 0]));
      const idle = new Map([...pidOf].map(([name, pid]) => [name, rssMb(pid)]));
      const client = await Client.signedIn(stack.url, 'demo@example.com');
      await client.follow((await client.addManual('docs/examples/espresso-machine.pdf')).id);
      for (let n = 0; n < questions; n += 10) {
        await Promise.all(
          Array.from({ length: 10 }, (_, index) =>
            client.fetch('/api/query', {
              json: { question: `How do I descale the machine, time ${n + index}?` },
              headers: { prefer: 'wait=30' },
            }),
          ),
        );
      }
      for (const [name, pid] of pidOf) {
        rows.push({ what: `memory of ${name}, idle`, ours: idle.get(name) ?? 0, unit: 'MB' });
        rows.push({ what: `memory of ${name} after ${questions} questions`, ours: rssMb(pid), unit: 'MB' });
      }
      const gatewayPid = pidOf.get('gateway') ?? 0;
      const before = rssMb(gatewayPid);
      const opened = await openSockets(stack.url, client.token, sockets);
      await pause(2000);
      rows.push({
        what: `memory that ${sockets.toLocaleString('en')} idle WebSockets add`,
        ours: rssMb(gatewayPid) - before,
        unit: 'MB',
      });
      for (const socket of opened) socket.terminate();
      return rows;
    } finally {
      await stack.stop();
      await rm(localDir, { recursive: true, force: true });
    }
  },
};

import autocannon from 'autocannon';
import { Redis } from 'ioredis';
import { startBenchHouse } from '../support/bench-house.ts';
import { manyClients } from '../support/many-clients.ts';
import { jsonPoster } from '../support/post-json.ts';
import { cpuMs, startProgram } from '../support/processes.ts';
import type { Scenario } from '../support/scenario.ts';
import { median } from '../support/statistics.ts';

const users = 100;
const seconds = 4;
const rounds = 3;

interface Load {
  readonly perSecond: number;
  readonly cpuUsPerRequest: number;
}

/** Sends questions, each of another user and never the same twice, for some seconds. `keyed`: each under an Idempotency-Key. */
async function load(url: string, pid: number, tokens: readonly string[], keyed: boolean): Promise<Load> {
  let n = 0;
  const before = cpuMs(pid);
  const result = await autocannon({
    url: `${url}/api/query`,
    method: 'POST',
    connections: manyClients,
    duration: seconds,
    setupClient(client) {
      const next = (): void => {
        n += 1;
        client.setHeadersAndBody(
          {
            'content-type': 'application/json',
            authorization: `Bearer ${tokens[n % tokens.length]}`,
            ...(keyed ? { 'idempotency-key': `key-${n}` } : {}),
          },
          JSON.stringify({ question: `How often must part ${n} be oiled, and with which oil?` }),
        );
      };
      next();
      client.on('response', next);
    },
  });
  const done = result['2xx'];
  if (done === 0 || result.non2xx > 0) throw new Error(`${url}: ${done} accepted, ${result.non2xx} refused`);
  return { perSecond: done / result.duration, cpuUsPerRequest: ((cpuMs(pid) - before) * 1000) / done };
}

/** Each user's first question of a day has their usage read from the ledger: not what is measured. */
async function askOnce(url: string, tokens: readonly string[]): Promise<void> {
  for (const token of tokens) {
    const poster = jsonPoster(url, { authorization: `Bearer ${token}` });
    await poster.post('/api/query', { question: 'Which oil?' }, 202);
    poster.close();
  }
}

export const gateway: Scenario = {
  name: 'gateway',
  title: 'POST /api/query with everything on, against bare Express 5 + queue.add',
  async run() {
    const house = await startBenchHouse();
    const redis = new Redis(house.redisUrl);
    const bare = await startProgram('bench/support/bare-gateway.ts', { REDIS_URL: house.redisUrl });
    const ours = await house.startGateway();
    const tokens = Array.from({ length: users }, (_, index) => house.token(`user-${index}`));
    const measured: { ours: Load[]; bare: Load[]; keyless: Load[] } = { ours: [], bare: [], keyless: [] };
    try {
      for (let round = 0; round <= rounds; round += 1) {
        await askOnce(ours.url, tokens);
        const loads = {
          bare: await load(bare.value, bare.pid, tokens, false),
          ours: await load(ours.url, ours.pid, tokens, true),
          keyless: await load(ours.url, ours.pid, tokens, false),
        };
        // The first round warms all up.
        if (round > 0) {
          measured.bare.push(loads.bare);
          measured.ours.push(loads.ours);
          measured.keyless.push(loads.keyless);
        }
        await redis.flushall();
      }
    } finally {
      await ours.stop();
      await bare.stop();
      redis.disconnect();
      await house.close();
    }
    const middle = (loads: readonly Load[], key: keyof Load): number => median(loads.map((one) => one[key]));
    return [
      {
        what: 'requests a second',
        ours: middle(measured.ours, 'perSecond'),
        base: middle(measured.bare, 'perSecond'),
        unit: '/s',
        against: 'bare Express + queue.add',
        aim: { ratio: 0.5, direction: 'more' },
      },
      {
        what: 'processor time a request',
        ours: middle(measured.ours, 'cpuUsPerRequest'),
        base: middle(measured.bare, 'cpuUsPerRequest'),
        unit: 'µs',
        against: 'bare Express + queue.add',
      },
      {
        what: 'requests a second without Idempotency-Key',
        ours: middle(measured.keyless, 'perSecond'),
        base: middle(measured.bare, 'perSecond'),
        unit: '/s',
        against: 'bare Express + queue.add',
      },
    ];
  },
};

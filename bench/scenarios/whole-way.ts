import { Queue, QueueEvents } from 'bullmq';
import { WebSocket } from 'ws';
import { startBenchHouse } from '../support/bench-house.ts';
import { startProgram } from '../support/processes.ts';
import type { Scenario } from '../support/scenario.ts';
import { quantile } from '../support/statistics.ts';

const questions = 500;
const warmUp = 100;

/** Milliseconds from POST to the finished job on the owner's WebSocket, one after the other. */
async function oursMs(url: string, token: string): Promise<number[]> {
  const headers = { authorization: `Bearer ${token}` };
  const socket = new WebSocket(`${url.replace('http', 'ws')}/ws`, { headers });
  const ended = new Map<string, number>();
  let wake: () => void = () => undefined;
  socket.on('message', (data: Buffer) => {
    const message = JSON.parse(data.toString()) as { type: string; job?: { id: string; status: string } };
    if (message.type === 'job' && message.job?.status === 'completed') ended.set(message.job.id, performance.now());
    wake();
  });
  await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject));
  const times: number[] = [];
  for (let n = 0; n < questions + warmUp; n += 1) {
    const started = performance.now();
    const response = await fetch(`${url}/api/query`, {
      method: 'POST',
      headers: { ...headers, 'content-type': 'application/json' },
      body: JSON.stringify({ question: `What is part ${n}?` }),
    });
    const { id } = (await response.json()) as { id: string };
    while (!ended.has(id)) {
      await new Promise<void>((resolve, reject) => {
        const timer = setTimeout(() => reject(new Error(`job ${id} did not end`)), 10_000);
        wake = () => (clearTimeout(timer), resolve());
      });
    }
    if (n >= warmUp) times.push((ended.get(id) ?? 0) - started);
  }
  socket.close();
  return times;
}

/** Milliseconds from `add` to `finished` of bare BullMQ, one after the other. */
async function bareMs(redisUrl: string): Promise<number[]> {
  const connection = { url: redisUrl };
  const queue = new Queue('bare', { connection, prefix: '{bare}' });
  const events = new QueueEvents('bare', { connection, prefix: '{bare}' });
  await events.waitUntilReady();
  const times: number[] = [];
  for (let n = 0; n < questions + warmUp; n += 1) {
    const started = performance.now();
    const job = await queue.add(
      'query',
      { question: `What is part ${n}?` },
      { priority: 1, removeOnComplete: { count: 1000 } },
    );
    await job.waitUntilFinished(events, 10_000);
    if (n >= warmUp) times.push(performance.now() - started);
  }
  await events.close();
  await queue.close();
  return times;
}

export const wholeWay: Scenario = {
  name: 'whole-way',
  title: 'POST to result on the WebSocket, no-op handler, against BullMQ’s add to finished',
  async run() {
    const house = await startBenchHouse();
    const gateway = await house.startGateway();
    const worker = await startProgram('bench/support/worker-program.ts', { ...house.env, BENCH_CONCURRENCY: '10' });
    const bare = await startProgram('bench/support/worker-program.ts', {
      REDIS_URL: house.redisUrl,
      BENCH_KIND: 'bare',
      BENCH_CONCURRENCY: '10',
    });
    try {
      const base = await bareMs(house.redisUrl);
      const ours = await oursMs(gateway.url, house.token('asker'));
      return [
        {
          what: 'POST to result, p50',
          ours: quantile(ours, 0.5),
          base: quantile(base, 0.5),
          unit: 'ms',
          against: 'BullMQ add to finished',
          aim: { ratio: 3, direction: 'less' },
        },
        {
          what: 'POST to result, p99',
          ours: quantile(ours, 0.99),
          base: quantile(base, 0.99),
          unit: 'ms',
          against: 'BullMQ add to finished',
        },
      ];
    } finally {
      await bare.stop();
      await worker.stop();
      await gateway.stop();
      await house.close();
    }
  },
};

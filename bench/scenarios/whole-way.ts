import { Queue, QueueEvents } from 'bullmq';
import { WebSocket } from 'ws';
import { startBenchHouse } from '../support/bench-house.ts';
import { jsonPoster } from '../support/post-json.ts';
import { startProgram } from '../support/processes.ts';
import type { Scenario } from '../support/scenario.ts';
import { quantile } from '../support/statistics.ts';

/** Asked in turn: a block of ours, a block of the bare one, and again, so that both meet the same moods of the machine. */
const blocks = 6;
const questions = 250;
/** Asked before, many at a time: a service that has run for a minute has its code compiled. */
const warmUp = 8000;
const warmUpWidth = 32;
const longestMs = 10_000;

/** Somebody who asks one question after the other and waits for each to end. */
interface Asker {
  /** Milliseconds from asking to the end. */
  ask(n: number): Promise<number>;
  close(): Promise<void>;
}

/** POST to the finished job on the owner's WebSocket. */
async function ourAsker(url: string, token: string): Promise<Asker> {
  const headers = { authorization: `Bearer ${token}` };
  const socket = new WebSocket(`${url.replace('http', 'ws')}/ws`, { headers });
  const poster = jsonPoster(url, headers);
  /** Ends that nobody has waited for yet, and waits for ends that have not come yet, by job. */
  const ended = new Map<string, number>();
  const waiting = new Map<string, (at: number) => void>();
  socket.on('message', (data: Buffer) => {
    const at = performance.now();
    const message = JSON.parse(data.toString()) as { type: string; job?: { id: string; status: string } };
    if (message.type !== 'job' || message.job?.status !== 'completed') return;
    const wake = waiting.get(message.job.id);
    waiting.delete(message.job.id);
    if (wake) wake(at);
    else ended.set(message.job.id, at);
  });
  const endOf = (id: string): Promise<number> | number => {
    const at = ended.get(id);
    ended.delete(id);
    if (at !== undefined) return at;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`job ${id} did not end`)), longestMs);
      waiting.set(id, (when) => {
        clearTimeout(timer);
        resolve(when);
      });
    });
  };
  await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject));
  return {
    async ask(n) {
      const started = performance.now();
      // Safe: 202 answers a job.
      const { id } = (await poster.post('/api/query', { question: `What is part ${n}?` }, 202)) as { id: string };
      return (await endOf(id)) - started;
    },
    async close() {
      poster.close();
      socket.terminate();
    },
  };
}

/** `add` to `finished` of bare BullMQ. */
async function bareAsker(redisUrl: string): Promise<Asker> {
  const connection = { url: redisUrl };
  const queue = new Queue('bare', { connection, prefix: '{bare}' });
  const events = new QueueEvents('bare', { connection, prefix: '{bare}' });
  // Each wait listens for the end of both.
  for (const emitter of [queue, events]) emitter.setMaxListeners(0);
  await events.waitUntilReady();
  return {
    async ask(n) {
      const started = performance.now();
      const job = await queue.add(
        'query',
        { question: `What is part ${n}?` },
        { priority: 1, removeOnComplete: { count: 1000 } },
      );
      await job.waitUntilFinished(events, longestMs);
      return performance.now() - started;
    },
    async close() {
      await events.close();
      await queue.close();
    },
  };
}

export const wholeWay: Scenario = {
  name: 'whole-way',
  title: 'POST to result on the WebSocket, no-op handler, against BullMQ’s add to finished',
  async run() {
    await using closing = new AsyncDisposableStack();
    const house = await startBenchHouse();
    closing.defer(() => house.close());
    const gateway = await house.startGateway();
    closing.defer(() => gateway.stop());
    const worker = await startProgram('bench/support/worker-program.ts', { ...house.env, BENCH_CONCURRENCY: '10' });
    closing.defer(() => worker.stop());
    const bareWorker = await startProgram('bench/support/worker-program.ts', {
      REDIS_URL: house.redisUrl,
      BENCH_KIND: 'bare',
      BENCH_CONCURRENCY: '10',
    });
    closing.defer(() => bareWorker.stop());
    const ours = await ourAsker(gateway.url, house.token('asker'));
    closing.defer(() => ours.close());
    const bare = await bareAsker(house.redisUrl);
    closing.defer(() => bare.close());

    let n = 0;
    const block = async (asker: Asker, count: number, times: number[]): Promise<void> => {
      for (let turn = 0; turn < count; turn += 1) times.push(await asker.ask((n += 1)));
    };
    const times = { ours: [] as number[], bare: [] as number[] };
    for (const asker of [ours, bare]) {
      await Promise.all(Array.from({ length: warmUpWidth }, () => block(asker, warmUp / warmUpWidth, [])));
    }
    for (let turn = 0; turn < blocks; turn += 1) {
      await block(bare, questions, times.bare);
      await block(ours, questions, times.ours);
    }
    const row = (share: number) => ({
      what: `POST to result, p${share * 100}`,
      ours: quantile(times.ours, share),
      base: quantile(times.bare, share),
      unit: 'ms',
      against: 'BullMQ add to finished',
    });
    return [{ ...row(0.5), aim: { ratio: 3, direction: 'less' } }, row(0.99)];
  },
};

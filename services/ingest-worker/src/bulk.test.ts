import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { makePdf } from '@manuel/testing';
import { type Bench, startBench } from './test-support/bench.ts';

let bench: Bench;
beforeAll(async () => {
  // Bedrock's own limits, as in production; the work is done by a process of its own.
  bench = await startBench(
    process.env,
    { ingest: { calls_per_s: 5, batch_window_ms: 100, poll_initial_ms: 150, poll_max_ms: 5000 } },
    { workers: 0 },
  );
});
afterAll(() => bench.close());

const page = (topic: string) =>
  Array.from(
    { length: 30 },
    (_, line) => `${topic}: turn screw ${line} of the ${topic} until it holds, then check bolt ${line * 7}.`,
  ).join('\n');
const greedy = 'greedy';
const others = Array.from({ length: 19 }, (_, index) => `user${index}`);

/** The worker as it is deployed: a process of its own. */
function startWorker(): AsyncDisposable & { readonly pid: number | undefined } {
  const worker = spawn(
    process.execPath,
    ['--max-semi-space-size=8', '--max-old-space-size=192', 'services/ingest-worker/src/main.ts'],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
      env: {
        ...process.env,
        NODE_OPTIONS: '',
        LOGS_LEVEL: 'error',
        REDIS_URL: bench.settings.redis.url,
        QUEUE_MAX_PER_USER: '1000',
      },
    },
  );
  worker.stdout.resume();
  return {
    pid: worker.pid,
    async [Symbol.asyncDispose]() {
      worker.kill('SIGTERM');
      await once(worker, 'exit');
    },
  };
}

test('200 manuals of 20 users all become ready, within Bedrock’s rates, in turns, in little memory', async () => {
  await using worker = startWorker();
  const files: [user: string, name: string][] = [
    ...Array.from({ length: 67 }, (_, index): [string, string] => [greedy, `g${index}`]),
    ...others.flatMap((user) => Array.from({ length: 7 }, (_, index): [string, string] => [user, `${user}-${index}`])),
  ];
  expect(files).toHaveLength(200);
  await bench.resetCalls();
  const started = Date.now();
  const jobs: { user: string; jobId: string }[] = [];
  for (let from = 0; from < files.length; from += 10) {
    const admitted = files.slice(from, from + 10).map(async ([user, name], index) => {
      const topic = `device ${name}`;
      const upload =
        index === 0
          ? { filename: `${name}.pdf`, bytes: await makePdf({ pages: [page(topic), page(`${topic} part two`)] }) }
          : { filename: `${name}.txt`, bytes: page(topic) };
      jobs.push({ user, jobId: (await bench.upload(user, upload)).jobId });
    });
    await Promise.all(admitted);
  }
  const admittedAfter = (Date.now() - started) / 1000;
  const deadline = started + 85_000;
  const ends: { user: string; at: number }[] = [];
  for (const { user, jobId } of jobs) {
    const view = await bench.ended(user, jobId, Math.max(1, deadline - Date.now()));
    expect(view).toMatchObject({ status: 'completed', result: { status: 'ready' } });
    ends.push({ user, at: Date.parse(view.finished_at ?? '') });
  }
  const seconds = (Date.now() - started) / 1000;
  const peakMb = Number(/VmHWM:\s+(\d+)/.exec(await readFile(`/proc/${worker.pid}/status`, 'utf8'))?.[1]) / 1024;
  const agent = await bench.calls('bedrock-agent');
  const { Retrieve = 0 } = await bench.calls('bedrock-agent-runtime');

  expect(peakMb).toBeLessThan(300);
  // One more than the rate allows: the first call of all comes at once.
  for (const [operation, count] of Object.entries(agent)) {
    expect({ operation, withinRate: count <= seconds * 5 + 1 }).toEqual({ operation, withinRate: true });
  }
  expect(Retrieve).toBeLessThanOrEqual(seconds * bench.settings.ingest.probes_per_s + 1);
  expect(agent['IngestKnowledgeBaseDocuments']).toBeLessThan(files.length / 2);

  const lastOf = (user: string) => Math.max(...ends.filter((end) => end.user === user).map(({ at }) => at));
  // The greedy one came first with a third of all; still nobody waits for his last ones.
  expect(others.filter((user) => lastOf(user) > lastOf(greedy))).toEqual([]);
  process.stdout.write(
    `bulk: ${seconds.toFixed(1)} s (admitted after ${admittedAfter.toFixed(1)} s), peak ${peakMb.toFixed(0)} MB, ${JSON.stringify({ ...agent, Retrieve })}\n`,
  );
}, 100_000);

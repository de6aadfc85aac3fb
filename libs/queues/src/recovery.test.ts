import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { isTerminal } from '@manuel/contracts';
import type { JobRow } from '@manuel/ledger';
import { waitFor } from '@manuel/testing';
import { newRow } from './enqueue.ts';
import { done, question, startBench, submit, type TestBench } from './test-support/bench.ts';

let bench: TestBench;
beforeAll(async () => {
  bench = await startBench({ queue: { lock_ms: 600, stalled_interval_ms: 200, max_retries: 1 } });
});
afterEach(() => bench.reset());
afterAll(() => bench.close());

const open = () => [...bench.deps.ledger.rows.values()].filter((row) => !isTerminal(row.status));
const count = (status: string) => [...bench.deps.ledger.rows.values()].filter((row) => row.status === status).length;

test('after FLUSHALL every job ends within two sweeps, each with one effect', async () => {
  const admitter = await bench.admitter();
  const janitor = await bench.janitor();
  const gate = Promise.withResolvers<void>();
  let blocking = true;
  await bench.worker(
    async (job) => {
      if (blocking) await gate.promise;
      return done(job);
    },
    { concurrency: 5 },
  );
  for (let i = 0; i < 30; i += 1) await submit(admitter, question(`user${i % 3}`));
  await waitFor(async () => (await bench.redis.llen('{manuel}:query:active')) === 5);

  await bench.redis.flushall();
  blocking = false;
  gate.resolve();
  await janitor.sweep();
  await janitor.sweep();
  await waitFor(() => open().length === 0);
  expect(count('completed')).toBe(30);
  expect(bench.deps.ledger.charges.size).toBe(30);
  for (const user of ['user0', 'user1', 'user2']) {
    expect(await admitter.usage(user)).toMatchObject({ daily_used: 10, monthly_used: 10 });
  }
});

test('after Redis was killed and came back empty, the same processes go on and nothing is lost', async () => {
  const admitter = await bench.admitter();
  const hub = await bench.hub(admitter);
  const janitor = await bench.janitor();
  const gate = Promise.withResolvers<void>();
  await bench.worker(
    async (job) => {
      if (job.userId === 'anna') await gate.promise;
      return done(job);
    },
    { concurrency: 3 },
  );
  const told = new Set<string>();
  await hub.subscribe(
    'anna',
    ({ event }) => event.type === 'job' && isTerminal(event.job.status) && told.add(event.job.id),
  );
  const jobs = await Promise.all(Array.from({ length: 8 }, () => submit(admitter, question('anna'))));
  await waitFor(async () => (await bench.redis.llen('{manuel}:query:active')) === 3);

  await bench.server.stop('SIGKILL');
  await expect(submit(admitter, question('anna'))).rejects.toMatchObject({ code: 'unavailable' });
  await bench.server.start();
  gate.resolve();
  const late = await waitFor(() => submit(admitter, question('anna')));
  await waitFor(
    async () => {
      await janitor.sweep();
      return open().length === 0;
    },
    { timeoutMs: 20_000 },
  );
  expect(count('completed')).toBe(9);
  expect(bench.deps.ledger.charges.size).toBe(9);
  await waitFor(() => told.has(late.id));
  expect(await hub.waitForEnd('anna', jobs[0]?.id ?? '', 5000)).toMatchObject({ status: 'completed' });
});

test('a job whose gateway died between row and queue is found and run', async () => {
  const admitter = await bench.admitter();
  const hub = await bench.hub(admitter);
  const janitor = await bench.janitor();
  await bench.worker(done);
  const jobId = 'query_0000000000000000000000000A';
  await bench.deps.ledger.jobs.add(newRow(question('anna'), jobId, Date.now() - 1000, false));
  expect(await admitter.view('anna', jobId)).toMatchObject({ status: 'queued' });
  expect(await janitor.sweep()).toMatchObject({ requeued: 1 });
  expect(await hub.waitForEnd('anna', jobId, 5000)).toMatchObject({ status: 'completed' });
  expect(await admitter.usage('anna')).toMatchObject({ daily_used: 1 });
});

test('what nobody started in time expires, also with no worker there, and becomes a dead letter when one comes', async () => {
  const admitter = await bench.admitter();
  const janitor = await bench.janitor();
  const known = await submit(admitter, question('anna', { expiresInS: 0 }));
  const forgotten = await submit(admitter, question('anna', { expiresInS: 0 }));
  await bench.redis.del(`{manuel}:query:${forgotten.id}`);
  await bench.redis.zrem('{manuel}:query:prioritized', forgotten.id);
  let expired = 0;
  await waitFor(async () => (expired += (await janitor.sweep()).expired) === 2);
  expect(count('expired')).toBe(2);
  expect(await admitter.usage('anna')).toMatchObject({ daily_used: 0 });
  expect(await admitter.view('anna', known.id)).toMatchObject({ status: 'expired', started_at: null });

  let ran = 0;
  await bench.worker(async (job) => {
    ran += 1;
    return done(job);
  });
  const failed = await waitFor(async () => {
    const list = await janitor.failed(10);
    return list.length === 2 && list;
  });
  expect(ran).toBe(0);
  expect(new Set(failed.map(({ code }) => code))).toEqual(new Set(['expired']));
  for (const job of failed) await janitor.done(job);
  expect(await janitor.failed(10)).toEqual([]);
});

test('a worker that is killed loses nothing: its job runs elsewhere, once in effect', async () => {
  const admitter = await bench.admitter();
  const hub = await bench.hub(admitter);
  const job = await submit(admitter, question('anna'));
  await killWhileRunning(job.id);
  await bench.worker(done);
  expect(await hub.waitForEnd('anna', job.id, 10_000)).toMatchObject({ status: 'completed', attempts: 2 });
  expect(bench.deps.ledger.charges.size).toBe(1);
  expect(await admitter.usage('anna')).toMatchObject({ daily_used: 1 });
  // The slot that the dead worker held is free.
  expect(await bench.redis.zcard('{manuel}:act:query:anna')).toBe(0);
});

test('a job that kills its workers fails for good in the end', async () => {
  const admitter = await bench.admitter();
  const job = await submit(admitter, question('anna'));
  await killWhileRunning(job.id);
  await killWhileRunning(job.id);
  let ran = 0;
  await bench.worker(async (context) => {
    ran += 1;
    return done(context);
  });
  const hub = await bench.hub(admitter);
  expect(await hub.waitForEnd('anna', job.id, 10_000)).toMatchObject({
    status: 'failed',
    error: { code: 'internal', detail: expect.stringContaining('interrupted') },
  });
  expect(ran).toBe(0);
  expect(await admitter.usage('anna')).toMatchObject({ daily_used: 0 });
});

test('a job that BullMQ knows as failed and the ledger as open is settled, and cleaned up by a worker', async () => {
  const admitter = await bench.admitter();
  const janitor = await bench.janitor();
  bench.deps.ledger.failing = 'finish';
  await bench.worker(done);
  const job = await submit(admitter, question('anna'));
  await waitFor(async () => (await bench.redis.zcard('{manuel}:query:failed')) === 1);
  expect(open()).toHaveLength(1);
  bench.deps.ledger.failing = undefined;
  await janitor.sweep();
  expect(open()).toHaveLength(0);
  await waitFor(async () => (await admitter.view('anna', job.id))?.status === 'failed');
  // Through a worker's hands once more, and back to the failed.
  await waitFor(async () => (await bench.redis.zcard('{manuel}:query:failed')) === 1);
  expect(await admitter.usage('anna')).toMatchObject({ daily_used: 0 });
  expect(bench.deps.ledger.charges.size).toBe(0);
});

test('a reservation whose job is gone is dropped, and the counters agree with the ledger again', async () => {
  const admitter = await bench.admitter();
  const janitor = await bench.janitor();
  const job = await submit(admitter, question('anna'));
  // A worker that died between ledger and Redis, and a Redis that lost the job.
  await bench.deps.ledger.jobs.finish('anna', job.id, {
    status: 'failed',
    finished_at: Date.now() - 1000,
    attempts: 1,
  });
  await bench.redis.del(`{manuel}:query:${job.id}`);
  await bench.redis.zrem('{manuel}:query:prioritized', job.id);
  // And an admission that never became durable.
  await bench.redis.hset('{manuel}:u:anna:open', 'query_0000000000000000000000000B', '2026-11-20|1|5|query');
  await janitor.sweep();
  await waitFor(async () => {
    await janitor.sweep();
    return (await bench.redis.hlen('{manuel}:u:anna:open')) === 0;
  });
  expect(await admitter.usage('anna')).toMatchObject({ daily_used: 0 });
});

test('a second terminal transition changes nothing', async () => {
  const admitter = await bench.admitter();
  const hub = await bench.hub(admitter);
  await bench.worker(done);
  const job = await submit(admitter, question('anna'));
  const ended = await hub.waitForEnd('anna', job.id, 5000);
  await expect(admitter.cancel('anna', job.id)).rejects.toMatchObject({ code: 'conflict' });
  expect(await admitter.view('anna', job.id)).toEqual(ended);
  expect(bench.deps.ledger.charges.size).toBe(1);
});

test('a job that ends while the sweeper looks is not run again, and counts once even if it is', async () => {
  const admitter = await bench.admitter();
  const hub = await bench.hub(admitter);
  const janitor = await bench.janitor();
  let runs = 0;
  await bench.worker(async (job) => {
    runs += 1;
    return done(job);
  });
  const { jobs } = bench.deps.ledger;
  const { open: openRows, get } = jobs;
  try {
    for (const [round, known] of [
      [1, (id: string) => id],
      [2, async (id: string) => bench.redis.del(`{manuel}:query:${id}`)],
    ] as const) {
      const job = await submit(admitter, question('anna'));
      const read = { ...(await get('anna', job.id)), status: 'queued', open: '0' } as JobRow;
      await hub.waitForEnd('anna', job.id, 5000);
      await known(job.id);
      // What the sweeper has read of the ledger is older than the job's end.
      jobs.open = async function* () {
        yield read;
      };
      expect(await janitor.sweep()).toMatchObject({ seen: 1, requeued: 0, settled: 0, expired: 0 });
      expect([runs, (await admitter.usage('anna')).daily_used]).toEqual([round, round]);
    }
    // And were it between that look and the queue that the job ends, it would run twice, and still count once.
    const job = await submit(admitter, question('anna'));
    await hub.waitForEnd('anna', job.id, 5000);
    const read = { ...(await get('anna', job.id)), status: 'queued', open: '0' } as JobRow;
    jobs.open = async function* () {
      yield read;
    };
    jobs.get = async () => read;
    expect(await janitor.sweep()).toMatchObject({ requeued: 1 });
    await waitFor(() => runs === 4);
    await waitFor(async () => (await bench.redis.exists('{manuel}:u:anna:open')) === 0);
    expect((await admitter.usage('anna')).daily_used).toBe(3);
  } finally {
    Object.assign(jobs, { open: openRows, get });
  }
});

test('two sweepers at once do the work once', async () => {
  const admitter = await bench.admitter();
  for (let i = 0; i < 10; i += 1) await submit(admitter, question('anna'));
  await bench.redis.flushall();
  const [one, two] = [await bench.janitor(), await bench.janitor()];
  const swept = await Promise.all([one.sweep(), two.sweep()]);
  expect(swept.map(({ requeued }) => requeued).toSorted((a, b) => a - b)).toEqual([0, 10]);
  expect(await bench.redis.zcard('{manuel}:query:prioritized')).toBe(10);
});

test('a job that runs while Redis is wiped goes on, and does not expire though its time to start is over', async () => {
  const admitter = await bench.admitter();
  const janitor = await bench.janitor();
  const gate = Promise.withResolvers<void>();
  let runs = 0;
  await bench.worker(async (job) => {
    runs += 1;
    await gate.promise;
    return done(job);
  });
  const job = await submit(admitter, question('anna', { expiresInS: 1 }));
  await waitFor(() => runs === 1);
  const running = await admitter.view('anna', job.id);
  expect(running).toMatchObject({ status: 'active', attempts: 1 });
  await bench.redis.flushall();
  // It says so itself, at its next beat.
  await waitFor(async () => (await admitter.view('anna', job.id))?.status === 'active', { timeoutMs: 1000 });
  expect(await admitter.view('anna', job.id)).toEqual(running);
  // Long enough for its lock to lapse, too.
  await waitFor(() => Date.now() > Date.parse(job.created_at) + 1100);
  expect(await janitor.sweep()).toMatchObject({ requeued: 0, expired: 0 });
  gate.resolve();
  await waitFor(() => open().length === 0);
  expect(await admitter.view('anna', job.id)).toMatchObject({ status: 'completed', attempts: 1 });
  expect([runs, bench.deps.ledger.charges.size]).toEqual([1, 1]);
});

test('a job that had started when Redis was wiped and its worker killed is run again, not expired', async () => {
  const admitter = await bench.admitter();
  const janitor = await bench.janitor();
  const job = await submit(admitter, question('anna', { expiresInS: 1 }));
  await killWhileRunning(job.id, async () => {
    await bench.redis.flushall();
    await waitFor(async () => (await bench.redis.zscore('{manuel}:alive', job.id)) !== null);
  });
  await waitFor(async () => (await janitor.sweep()).requeued === 1);
  expect(Date.now()).toBeGreaterThan(Date.parse(job.created_at) + 1000);
  expect(await janitor.sweep()).toMatchObject({ requeued: 0, expired: 0 });
  await bench.worker(done);
  await waitFor(() => open().length === 0);
  expect(await admitter.view('anna', job.id)).toMatchObject({ status: 'completed' });
});

/** Starts a worker process that takes the job and never ends, and kills it there, after `meanwhile`. */
async function killWhileRunning(jobId: string, meanwhile = async () => undefined as void): Promise<void> {
  const program = new URL('./test-support/hanging-worker.ts', import.meta.url).pathname;
  const child = spawn(process.execPath, [program, bench.url], { stdio: ['ignore', 'pipe', 'inherit'] });
  let said = '';
  child.stdout.on('data', (chunk: Buffer) => (said += chunk.toString()));
  try {
    await waitFor(() => said.includes(`running ${jobId}`), { what: 'the child to run the job' });
    await meanwhile();
  } finally {
    const gone = once(child, 'exit');
    child.kill('SIGKILL');
    await gone;
  }
}

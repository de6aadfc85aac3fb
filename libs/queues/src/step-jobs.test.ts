import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { ManuelError, type StoredEvent } from '@manuel/contracts';
import { waitFor } from '@manuel/testing';
import { answered, startBench, type TestBench } from './test-support/bench.ts';
import type { Admitter, AdmitRequest, Handlers, RunningWorker } from './types.ts';
import { runWorker } from './worker/run-worker.ts';

let bench: TestBench;
const workers: RunningWorker[] = [];
beforeAll(async () => {
  bench = await startBench();
});
afterEach(async () => {
  await Promise.all(workers.splice(0).map((worker) => worker.close(0)));
  await bench.reset();
});
afterAll(() => bench.close());

const recording = (userId: string): AdmitRequest<'transcribe'> => ({
  job: 'transcribe',
  operation: 'transcribe',
  userId,
  payload: { audio_key: 'audio/anna/1.wav', content_type: 'audio/wav' },
  class: 'normal',
  expiresInS: 600,
  requestId: 'req-1',
});
const spoken = (userId: string): AdmitRequest<'voice'> => ({
  ...recording(userId),
  job: 'voice',
  operation: 'voice',
  payload: { ...recording(userId).payload, persona: 'default' },
});
const heard = { transcription: 'hello', confidence: 0.9, duration_s: 1, language_code: 'en-US', from_cache: false };
const unused = (): never => {
  throw new Error('not expected here');
};

async function transcriber(handlers: Partial<Handlers<'transcribe'>>, concurrency = 2): Promise<void> {
  workers.push(
    await runWorker(bench.deps, {
      queue: 'transcribe',
      handlers: { transcribe: unused, voice: unused, ...handlers },
      concurrency,
    }),
  );
}
async function admit(admitter: Admitter, request: AdmitRequest<'transcribe'> | AdmitRequest<'voice'>): Promise<string> {
  const admission = await admitter.admit(request);
  if (admission.kind !== 'job') throw new Error('no job');
  return admission.view.id;
}

test('a step job keeps its memory between looks, uses no try for them and one unit in all', async () => {
  const admitter = await bench.admitter();
  const hub = await bench.hub(admitter);
  const looks: number[] = [];
  await transcriber({
    transcribe: async (job) => {
      const look = Number(job.step['look'] ?? 0);
      looks.push(look);
      expect(job.attempt).toBe(1);
      if (look < 3) return { kind: 'again', delayMs: 10, step: { look: look + 1 } };
      return { kind: 'done', result: heard };
    },
  });
  const id = await admit(admitter, recording('anna'));
  expect(await hub.waitForEnd('anna', id, 5000)).toMatchObject({ status: 'completed', attempts: 1 });
  expect(looks).toEqual([0, 1, 2, 3]);
  expect(bench.deps.ledger.charges.size).toBe(1);
});

test('a try is counted also between its steps, when its job was lost with a worker before', async () => {
  const admitter = await bench.admitter();
  const counts: number[] = [];
  const id = await admit(admitter, recording('anna'));
  // As BullMQ counts a job that it found without its worker.
  await bench.redis.hset(`{manuel}:transcribe:${id}`, 'stc', 1);
  await transcriber({
    transcribe: async (job) => {
      const look = Number(job.step['look'] ?? 0);
      return look === 3 ? { kind: 'done', result: heard } : { kind: 'again', delayMs: 60, step: { look: look + 1 } };
    },
  });
  await waitFor(
    async () => {
      const view = await admitter.view('anna', id);
      counts.push(view?.attempts ?? 0);
      return view?.status === 'completed';
    },
    { everyMs: 5 },
  );
  expect(counts.toSorted((a, b) => a - b)).toEqual(counts);
  expect(counts.at(-1)).toBe(2);
});

test('a job that did not complete says how far it came, after Redis forgot it too', async () => {
  const admitter = await bench.admitter();
  const hub = await bench.hub(admitter);
  await transcriber({
    transcribe: async (job) => {
      if (job.step['begun'] === undefined) {
        await job.progress({ step: 'transcribing', percent: 30 });
        return { kind: 'again', delayMs: job.userId === 'anna' ? 10 : 60_000, step: { begun: true } };
      }
      throw new ManuelError('no_speech', 'No speech was heard.');
    },
  });
  const failed = await admit(admitter, recording('anna'));
  const cancelled = await admit(admitter, recording('berta'));
  await hub.waitForEnd('anna', failed, 5000);
  await waitFor(async () => (await admitter.view('berta', cancelled))?.progress.percent === 30);
  await admitter.cancel('berta', cancelled);
  for (let forgotten = 0; forgotten < 2; forgotten += 1) {
    expect(await admitter.view('anna', failed)).toMatchObject({ status: 'failed', progress: { step: 'transcribing' } });
    expect(await admitter.view('berta', cancelled)).toMatchObject({
      status: 'cancelled',
      progress: { step: 'transcribing', percent: 30 },
    });
    await bench.redis.flushall();
  }
});

test('a step job that waits for its next look when Redis is wiped goes on, though its time to start is over', async () => {
  const admitter = await bench.admitter();
  const janitor = await bench.janitor();
  let runs = 0;
  await transcriber({
    transcribe: async () => {
      runs += 1;
      if (runs === 1) return { kind: 'again', delayMs: 60_000, step: { begun: true } };
      return { kind: 'done', result: heard };
    },
  });
  const id = await admit(admitter, { ...recording('anna'), expiresInS: 1 });
  await waitFor(async () => (await bench.redis.zscore('{manuel}:transcribe:delayed', id)) !== null);
  const before = await admitter.view('anna', id);
  await waitFor(async () => (await janitor.sweep()).seen === 1);
  await janitor.sweep();
  expect(bench.deps.ledger.calls['started']).toBe(1);
  await bench.redis.flushall();
  expect(await admitter.view('anna', id)).toMatchObject({ status: 'active', started_at: before?.started_at });
  await waitFor(() => Date.now() > Date.parse(before?.created_at ?? '') + 1000);
  expect(await janitor.sweep()).toMatchObject({ requeued: 1, expired: 0 });
  await waitFor(() => runs === 2);
  await waitFor(async () => (await admitter.view('anna', id))?.status === 'completed');
  expect(await admitter.view('anna', id)).toMatchObject({ started_at: before?.started_at });
});

test('many step jobs are in flight over few slots', async () => {
  const admitter = await bench.admitter();
  const inFlight = new Set<string>();
  const gate = Promise.withResolvers<void>();
  let open = false;
  gate.promise.then(
    () => (open = true),
    () => undefined,
  );
  await transcriber({
    transcribe: async (job) => {
      inFlight.add(job.id);
      return open ? { kind: 'done', result: heard } : { kind: 'again', delayMs: 50, step: {} };
    },
  });
  const jobs = 60;
  await Promise.all(Array.from({ length: jobs }, (_, i) => admit(admitter, recording(`user${i % 7}`))));
  await waitFor(() => inFlight.size === jobs);
  expect(bench.deps.ledger.charges.size).toBe(0);
  gate.resolve();
  await waitFor(() => bench.deps.ledger.charges.size === jobs);
});

test('a step job that waits for its next look is cancelled at once', async () => {
  const admitter = await bench.admitter();
  const abandoned: string[] = [];
  workers.push(
    await runWorker(bench.deps, {
      queue: 'transcribe',
      handlers: { transcribe: async () => ({ kind: 'again', delayMs: 60_000, step: {} }), voice: unused },
      onAbandoned: async ({ status }) => void abandoned.push(status),
    }),
  );
  const id = await admit(admitter, recording('anna'));
  await waitFor(async () => (await bench.redis.zcard('{manuel}:transcribe:delayed')) === 1);
  expect(await admitter.view('anna', id)).toMatchObject({ status: 'active' });
  expect(await admitter.cancel('anna', id)).toMatchObject({ status: 'cancelled' });
  await waitFor(() => abandoned.length === 1);
  expect(abandoned).toEqual(['cancelled']);
  expect(await bench.redis.zcard('{manuel}:transcribe:delayed')).toBe(0);
});

test('a spoken question is one job to its owner: one id, one start, progress that never goes back, one charge', async () => {
  const admitter = await bench.admitter();
  const hub = await bench.hub(admitter);
  const seen: StoredEvent[] = [];
  await hub.subscribe('anna', (stored) => seen.push(stored));
  await transcriber({
    voice: async (job) => {
      await job.progress({ step: 'transcribing', percent: 15, transcription: 'how do I descale it' });
      return { kind: 'hand-over', job: 'query', payload: { question: 'how do I descale it', persona: 'default' } };
    },
  });
  const id = await admit(admitter, spoken('anna'));
  await waitFor(async () => (await bench.redis.zcard('{manuel}:query:prioritized')) === 1);
  // Between its halves it goes on as before.
  expect(await admitter.view('anna', id)).toMatchObject({
    operation: 'voice',
    status: 'active',
    progress: { step: 'transcribing', percent: 15, transcription: 'how do I descale it' },
  });
  await bench.worker(async (job) => {
    expect(job).toMatchObject({ id, operation: 'voice', payload: { question: 'how do I descale it' } });
    await job.progress({ step: 'retrieving', percent: 10 });
    return { kind: 'done', result: { ...answered(), transcription: job.payload.question } };
  });
  const ended = await hub.waitForEnd('anna', id, 5000);
  expect(ended).toMatchObject({ status: 'completed', operation: 'voice', result: { usage: { daily_used: 1 } } });
  const statuses = seen.flatMap(({ event }) => (event.type === 'job' ? [event.job.status] : []));
  expect(statuses).toEqual(['active', 'completed']);
  const percents = seen.flatMap(({ event }) => (event.type === 'progress' ? [event.progress.percent] : []));
  expect(percents).toEqual([15, 15]);
  expect(bench.deps.ledger.charges.size).toBe(1);
  expect(await admitter.usage('anna')).toMatchObject({ daily_used: 1 });
  expect(ended?.started_at).toBe(seen.flatMap(({ event }) => (event.type === 'job' ? [event.job] : []))[0]?.started_at);
});

test('a job cancelled between its halves does not go on', async () => {
  const admitter = await bench.admitter();
  await transcriber({
    voice: async (job) => {
      await admitter.cancel('anna', job.id);
      return { kind: 'hand-over', job: 'query', payload: { question: 'too late', persona: 'default' } };
    },
  });
  const id = await admit(admitter, spoken('anna'));
  await waitFor(async () => (await bench.redis.zcard('{manuel}:transcribe:completed')) === 1);
  expect(await bench.redis.exists(`{manuel}:query:${id}`)).toBe(0);
  expect(await admitter.view('anna', id)).toMatchObject({ status: 'cancelled' });
});

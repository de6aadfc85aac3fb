import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { waitFor } from '@manuel/testing';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { toneWav } from './test-support/wav.ts';
import { startVoiceStack, type VoiceStack } from './test-support/voice-stack.ts';

/** Enough to show that it is not the worker that holds them; one process holds 1,000 and more as well. */
const inFlight = 60;
let stack: VoiceStack;
const children = new Set<ChildProcess>();

beforeAll(async () => {
  stack = await startVoiceStack(process.env, {
    worker: false,
    overrides: { transcribe: { start_per_s: 1000, get_per_s: 60, max_running: 1000 } },
  });
});
afterAll(async () => {
  for (const child of children) await kill(child, 'SIGKILL');
  await stack.close();
});

function startWorker(): ChildProcess {
  const child = spawn(process.execPath, [join(import.meta.dirname, 'main.ts')], {
    stdio: ['ignore', 'ignore', 'inherit'],
    env: {
      PATH: process.env['PATH'],
      ...stack.environment,
      TRANSCRIBE_START_PER_S: '1000',
      TRANSCRIBE_GET_PER_S: '60',
      TRANSCRIBE_MAX_RUNNING: '1000',
      TRANSCRIBE_POLL_INITIAL_MS: '300',
      TRANSCRIBE_POLL_MAX_MS: '3000',
      QUEUE_LOCK_MS: '6000',
      QUEUE_STALLED_INTERVAL_MS: '1000',
    },
  });
  children.add(child);
  return child;
}

async function kill(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  children.delete(child);
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill(signal);
  await once(child, 'exit');
}

test('killed workers lose no transcription and start none twice; many in flight hold no memory', async () => {
  const release = stack.speech.hold();
  const jobs: { readonly user: string; readonly id: string }[] = [];
  for (let index = 0; index < inFlight; index += 1) {
    const user = `user-${index}`;
    jobs.push({ user, id: await stack.submit(user, await stack.store(user, toneWav(0.1, 200 + index))) });
  }
  const started = async (): Promise<number> => (await stack.calls())['StartTranscriptionJob'] ?? 0;
  const first = startWorker();
  await waitFor(async () => (await started()) > inFlight / 3, { what: 'a third to be started', timeoutMs: 20_000 });
  await kill(first, 'SIGKILL');
  const second = startWorker();
  await waitFor(async () => (await started()) >= inFlight, { what: 'all to be started', timeoutMs: 20_000 });
  const status = await readFile(`/proc/${second.pid}/status`, 'utf8').catch(() => '');
  const residentMb = Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1024;
  expect(residentMb).toBeLessThan(200);
  release();
  for (const { user, id } of jobs) {
    expect(await stack.ended(user, id)).toMatchObject({ status: 'completed', result: { from_cache: false } });
    expect((await stack.ledger.usage.totals(user, Date.now())).daily_used).toBe(1);
  }
  // What the kill interrupted may have asked twice, but Transcribe heard each recording once.
  expect(stack.speech.heard).toBe(inFlight);
  await kill(second, 'SIGTERM');
  for (const { user } of jobs.slice(0, 10)) expect(await stack.keysOf(user)).toEqual([]);
}, 60_000);

import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { JobView, QueryResult } from '@manuel/contracts';
import { waitFor } from '@manuel/testing';
import { Client } from '../../scripts/support/client.ts';
import { root } from '../../scripts/support/child.ts';
import { answerPage, answerWords, makeManualPdf, question } from '../support/make-manual.ts';
import { runScript } from '../support/run-script.ts';
import { startTestStack, type TestStack } from '../support/test-stack.ts';

/** The main job through the real processes: Redis, aws-local, gateway and four workers, each its own. */
let house: TestStack;
let manualPath: string;
let demo: Client;
let other: Client;

beforeAll(async () => {
  house = await startTestStack({ RATE_LIMIT_REQUESTS: '2000' });
  manualPath = join(house.localDir, 'tumble dryer.pdf');
  await writeFile(manualPath, await makeManualPdf());
  demo = await Client.signedIn(house.stack.url, 'demo@example.com');
  other = await Client.signedIn(house.stack.url, 'other@example.com');
}, 120_000);

afterAll(async () => {
  await house.close();
}, 60_000);

async function answerOf(client: Client, body: Record<string, unknown>): Promise<QueryResult> {
  const response = await client.fetch('/api/query', { json: body, headers: { prefer: 'wait=30' } });
  expect([response.status, response.headers.get('preference-applied') ?? 'cached']).toEqual([
    200,
    expect.stringMatching(/^(wait=30|cached)$/),
  ]);
  return (await response.json()) as QueryResult;
}

describe('a manual goes in, a question gets a cited answer', () => {
  test('on the command line, with progress and the right page', async () => {
    const run = await runScript('scripts/ask.ts', [question, '--manual', manualPath], house.ports);
    expect(run.stderr).toMatch(/tumble dryer\.pdf: ready, 120 pages/);
    expect(run.code).toBe(0);
    expect(run.stdout).toMatch(answerWords);
    expect(run.stdout).toContain(`tumble dryer.pdf, page ${answerPage} `);
    expect(run.stderr).toMatch(/indexing 60%/);
  }, 120_000);

  test('over HTTP: 202 with a job, which is polled to its result', async () => {
    const accepted = await demo.fetch('/api/query', { json: { question: `${question} Please.` } });
    expect(accepted.status).toBe(202);
    const job = (await accepted.json()) as JobView;
    expect(accepted.headers.get('location')).toBe(`/api/jobs/${job.id}`);
    expect(accepted.headers.get('retry-after')).toMatch(/^\d+$/);
    const ended = await waitFor(
      async () => {
        const now = await demo.job(job.id);
        return now.status === 'completed' ? now : undefined;
      },
      { timeoutMs: 20_000, what: 'the answer' },
    );
    const result = ended.result as unknown as QueryResult;
    expect(result.answer).toMatch(answerWords);
    expect(result.citations[0]).toMatchObject({ filename: 'tumble dryer.pdf', page: answerPage });
    const [from, to] = result.citations[0]?.span ?? [0, 0];
    expect(result.answer.slice(from, to)).toMatch(answerWords);
    expect(ended).toMatchObject({ operation: 'query', attempts: 1, progress: { percent: 100 }, error: null });
  });

  test('with Prefer: wait the result itself', async () => {
    const result = await answerOf(demo, { question: 'How do I recalibrate the probe for moisture?' });
    expect(result.answer).toMatch(answerWords);
    expect(result.citations.map((citation) => citation.page)).toContain(answerPage);
  });

  test('spoken, through a real decoder', async () => {
    await runScript('scripts/ask.ts', ['--manual', join(root, 'docs/examples/espresso-machine.pdf')], house.ports);
    const audio = join(root, 'docs/examples/how-long-does-the-warranty-last.wav');
    const run = await runScript('scripts/ask.ts', ['--audio', audio], house.ports);
    expect(run.stderr).toMatch(/Heard: how long does the warranty last/i);
    expect(run.stdout).toMatch(/two years/);
    expect(run.stdout).toContain('espresso-machine.pdf, page 16 ');
    expect(run.code).toBe(0);
  }, 120_000);

  test('spoken into a live microphone: words come back before the end', async () => {
    const audio = join(root, 'docs/examples/how-long-does-the-warranty-last.wav');
    const run = await runScript('scripts/ask.ts', ['--live', audio], house.ports);
    expect(run.stderr).toMatch(/… how.*\n.*… how long does the warranty last/s);
    expect(run.stdout).toMatch(/two years/);
    expect(run.stdout).toContain('espresso-machine.pdf, page 16 ');
    expect(run.code).toBe(0);
    const { items } = await demo.call<{ items: JobView[] }>('/api/jobs?operation=voice&limit=1');
    expect(items[0]).toMatchObject({
      status: 'completed',
      result: { transcription: expect.stringMatching(/^how long does the warranty last/), usage: { daily_limit: 50 } },
    });
  }, 120_000);

  test('another user gets no passage of it', async () => {
    const result = await answerOf(other, { question });
    expect(result.answer).not.toMatch(answerWords);
    expect(result.citations).toEqual([]);
    expect(await other.call('/api/manuals')).toEqual({ items: [], next_cursor: null });
  });
});

test('manuals, jobs and usage are still there after a stop and a start', async () => {
  const look = async () => ({
    manuals: await demo.call('/api/manuals'),
    jobs: await demo.call<{ items: JobView[] }>('/api/jobs?limit=100'),
    usage: await demo.call<{ daily_used: number }>('/api/user/usage'),
  });
  const before = await look();
  expect(before.jobs.items.length).toBeGreaterThanOrEqual(5);
  expect(before.usage.daily_used).toBeGreaterThanOrEqual(3);
  await house.restart();
  demo = await Client.signedIn(house.stack.url, 'demo@example.com');
  expect(await look()).toEqual(before);
  const result = await answerOf(demo, { question: 'Recalibrate the moisture probe: how is it done?' });
  expect(result.answer).toMatch(answerWords);
}, 90_000);

test('`npm run token` prints a token that works, and nothing else', async () => {
  const run = await runScript('scripts/token.ts', ['other@example.com'], house.ports);
  expect(run.stdout).toMatch(/^[\w-]+\.[\w-]+\.[\w-]+\n$/);
  const client = Client.withToken(house.stack.url, run.stdout.trim());
  expect(await client.call('/api/user/quota')).toMatchObject({ daily_limit: 50 });
});

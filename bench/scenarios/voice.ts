import { spawnSync } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type QueryResult, queryResultSchema } from '@manuel/contracts';
import { freePort } from '@manuel/testing';
import { z } from 'zod';
import type { Client } from '../../scripts/support/client.ts';
import { rankingMetrics, type RankedQuestion } from '../../scripts/support/ranking-metrics.ts';
import { startStack } from '../../scripts/support/stack.ts';
import { ensureTools, speechTools } from '../../scripts/support/system-packages.ts';
import { createThrowAwayUser } from '../../scripts/support/throw-away-user.ts';
import { root } from '../../scripts/support/child.ts';
import type { Row, Scenario } from '../support/scenario.ts';
import { wordErrors } from '../support/word-errors.ts';

/** Voices of the distribution's flite that the local decoder can be expected to understand. */
const voices = ['slt', 'rms', 'awb'] as const;
const mostQuestions = 40;
const maxResults = 20;
/** Of typed questions' recall: .82 spoken where typed gives .93. */
const aim = 0.88;

const pagesSchema = z.array(z.object({ page: z.number().int().positive(), text: z.string() })).min(1);
const questionsSchema = z.array(z.object({ question: z.string().min(1), page: z.number().int().positive() })).min(1);

interface Material {
  /** One text, pages parted by form feeds. */
  readonly manual: string;
  readonly questions: z.infer<typeof questionsSchema>;
}

/**
 * The manual and questions of `PAGES` and `QUESTIONS` (the files of `npm run eval`), else the example manual. Forty
 * questions, spread evenly.
 */
async function readMaterial(): Promise<Material> {
  const json = async (path: string): Promise<unknown> => JSON.parse(await readFile(path, 'utf8'));
  const [pagesFile, questionsFile] = [process.env['PAGES'], process.env['QUESTIONS']];
  if (pagesFile === undefined || questionsFile === undefined) {
    const text = await readFile(join(root, 'docs/examples/espresso-machine.md'), 'utf8');
    const questions = questionsSchema.parse(await json(join(root, 'bench/data/espresso-questions.json')));
    return { manual: text.split(/^---$/m).join('\f'), questions };
  }
  const pages = pagesSchema.parse(await json(pagesFile));
  const texts = Array.from({ length: Math.max(...pages.map(({ page }) => page)) }, () => '');
  for (const { page, text } of pages) texts[page - 1] = text.replaceAll('\f', ' ');
  const all = questionsSchema.parse(await json(questionsFile));
  const step = Math.max(1, all.length / mostQuestions);
  const questions = all.filter((_one, index) => Math.floor(index / step) !== Math.floor((index - 1) / step));
  return { manual: texts.join('\f'), questions: questions.slice(0, mostQuestions) };
}

async function ingest(client: Client, folder: string, manual: string): Promise<void> {
  const path = join(folder, 'manual.txt');
  await writeFile(path, manual);
  const ended = await client.follow((await client.addManual(path)).id);
  if (ended.status !== 'completed') throw new Error(`Ingesting ended as ${ended.status}: ${ended.error?.detail}`);
}

const rankedPages = (result: QueryResult | undefined): number[] => [
  ...new Set((result?.passages ?? []).flatMap(({ page }) => (page === null ? [] : [page]))),
];

/** The result of a job that is followed to its end; undefined when it failed. */
async function resultOf(client: Client, accepted: { id?: string } | QueryResult): Promise<QueryResult | undefined> {
  const direct = queryResultSchema.safeParse(accepted);
  if (direct.success) return direct.data;
  const job = await client.follow(z.object({ id: z.string() }).parse(accepted).id);
  return job.status === 'completed' ? queryResultSchema.parse(job.result) : undefined;
}

async function typed(client: Client, { questions }: Material): Promise<RankedQuestion[]> {
  const ranked: RankedQuestion[] = [];
  for (const { question, page } of questions) {
    const result = await resultOf(client, await client.ask({ question, max_results: maxResults }));
    ranked.push({ ranked: rankedPages(result), relevant: page });
  }
  return ranked;
}

async function spoken(
  client: Client,
  { questions }: Material,
  voice: string,
  folder: string,
): Promise<{ ranked: RankedQuestion[]; errorRate: number }> {
  const ranked: RankedQuestion[] = [];
  let errors = 0;
  let words = 0;
  for (const { question, page } of questions) {
    const path = join(folder, 'question.wav');
    const said = spawnSync('flite', ['-voice', voice, '-t', question, '-o', path], { encoding: 'utf8' });
    if (said.status !== 0) throw new Error(`flite could not speak: ${said.stderr}`);
    const result = await resultOf(client, await client.askAloud(path, { max_results: maxResults }));
    const heard = wordErrors(question, result?.transcription ?? '');
    errors += heard.errors;
    words += heard.words;
    ranked.push({ ranked: rankedPages(result), relevant: page });
  }
  return { ranked, errorRate: errors / words };
}

async function run(): Promise<Row[]> {
  const flite = { command: 'flite', packages: ['flite'], why: 'speaking the questions' };
  const missing = ensureTools([...speechTools, flite]);
  if (missing.length > 0) {
    throw new Error(`This benchmark needs ${missing.flatMap(({ packages }) => packages).join(', ')}: install them.`);
  }
  const material = await readMaterial();
  const folder = await mkdtemp(join(tmpdir(), 'manuel-voice-'));
  const stack = await startStack({
    port: 0,
    awsLocalPort: 0,
    // Redis takes no port 0.
    redisPort: await freePort(),
    localDir: join(folder, 'local'),
    env: { RATE_LIMIT_REQUESTS: '1000000' },
  });
  try {
    const user = await createThrowAwayUser(stack.url, material.questions.length * (voices.length + 1) + 10);
    await ingest(user.client, folder, material.manual);
    const base = rankingMetrics(await typed(user.client, material)).recall_at_5;
    const rows: Row[] = [];
    for (const voice of voices) {
      const { ranked, errorRate } = await spoken(user.client, material, voice, folder);
      rows.push(
        {
          what: `right page in the first 5, voice ${voice}, ${material.questions.length} questions`,
          ours: rankingMetrics(ranked).recall_at_5,
          base,
          against: 'the same questions typed',
          unit: '',
          aim: { ratio: aim, direction: 'more' },
        },
        { what: `word error rate, voice ${voice}`, ours: errorRate, unit: '' },
      );
    }
    return rows;
  } finally {
    await stack.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

export const voice: Scenario = { name: 'voice', title: 'Spoken questions, heard by the local decoder', run };

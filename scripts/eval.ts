// `npm run eval -- --pages pages.json --questions questions.json`: how well the running system finds the right page.
// `npm run eval -- --down-rated`: asks again what users rated down, and shows the answers of then and now.
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { type QueryResult, queryResultSchema } from '@manuel/contracts';
import { loadProcessSettings } from '@manuel/settings';
import { z } from 'zod';
import type { Client } from './support/client.ts';
import { createPacer } from './support/paced.ts';
import { percentile, rankingMetrics, type RankedQuestion } from './support/ranking-metrics.ts';
import { citesAnew, replayDownRated } from './support/replay-feedback.ts';
import { environmentOfRunningStack, stackOptionsFromEnvironment } from './support/stack.ts';
import { createThrowAwayUser } from './support/throw-away-user.ts';

const usage = 'Usage: npm run eval -- --pages pages.json --questions questions.json, or npm run eval -- --down-rated';
const pagesSchema = z.array(z.object({ page: z.number().int().positive(), text: z.string() })).min(1);
const questionsSchema = z
  .array(z.object({ question: z.string().min(1).max(2000), page: z.number().int().positive() }))
  .min(1);

const note = (text: string): void => void process.stderr.write(`${text}\n`);
/** The most that the API looks up for one question. */
const maxResults = 20;

async function read<T>(path: string, schema: z.ZodType<T>): Promise<T> {
  // npm changes to the project's folder; a path is meant from where the user stands.
  const file = resolve(process.env['INIT_CWD'] ?? process.cwd(), path);
  const parsed = schema.safeParse(JSON.parse(await readFile(file, 'utf8')));
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new Error(`${path}: ${issue?.path.join('.')}: ${issue?.message}`);
}

/** One text with a form feed between pages; a page number that is not there becomes an empty page. */
function asText(pages: z.infer<typeof pagesSchema>): string {
  const last = Math.max(...pages.map(({ page }) => page));
  const texts = Array.from({ length: last }, () => '');
  for (const { page, text } of pages) texts[page - 1] = text.replaceAll('\f', ' ');
  return texts.join('\f');
}

async function ingest(client: Client, text: string): Promise<void> {
  const dir = await mkdtemp(join(tmpdir(), 'eval-'));
  try {
    const path = join(dir, 'manual.txt');
    await writeFile(path, text);
    const job = await client.addManual(path);
    const ended = await client.follow(job.id);
    if (ended.status !== 'completed') throw new Error(`Ingesting ended as ${ended.status}: ${ended.error?.detail}`);
  } finally {
    await rm(dir, { recursive: true });
  }
}

/** Pages in the order of the passages that were found, each once. */
const rankedPages = (result: QueryResult): number[] => [
  ...new Set((result.passages ?? []).flatMap(({ page }) => (page === null ? [] : [page]))),
];

async function askAll(client: Client, questions: z.infer<typeof questionsSchema>) {
  const pace = createPacer((seconds) => note(`waiting ${seconds} s: the service’s rate limit`));
  const ranked: RankedQuestion[] = [];
  const times: number[] = [];
  for (const { question, page } of questions) {
    const { response, ms } = await pace(() =>
      client.fetch('/api/query', { json: { question, max_results: maxResults }, headers: { prefer: 'wait=30' } }),
    );
    if (response.status !== 200)
      throw new Error(`A question was answered ${response.status}: ${await response.text()}`);
    const result = queryResultSchema.parse(await response.json());
    if (result.degradation !== 'none') note(`degraded (${result.degradation}): ${question}`);
    ranked.push({ ranked: rankedPages(result), relevant: page });
    times.push(ms);
    if (ranked.length % 50 === 0) note(`${ranked.length} of ${questions.length} questions`);
  }
  return { ranked, times };
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: { pages: { type: 'string' }, questions: { type: 'string' }, 'down-rated': { type: 'boolean' } },
  });
  if (values['down-rated']) return replay();
  if (values.pages === undefined || values.questions === undefined) throw new Error(usage);
  const [pages, questions] = [await read(values.pages, pagesSchema), await read(values.questions, questionsSchema)];
  const { port } = stackOptionsFromEnvironment();
  const user = await createThrowAwayUser(`http://127.0.0.1:${port}`, questions.length + 10);
  try {
    note(`ingesting ${pages.length} pages`);
    await ingest(user.client, asText(pages));
    const { ranked, times } = await askAll(user.client, questions);
    const [p50, p95] = [percentile(times, 0.5), percentile(times, 0.95)].map((ms) => Math.round(ms * 10) / 10);
    const metrics = rankingMetrics(ranked);
    process.stdout.write(`${JSON.stringify({ questions: questions.length, ...metrics, p50_ms: p50, p95_ms: p95 })}\n`);
  } finally {
    await forget(user.client);
    await user.remove();
  }
}

/** One JSON line a question on standard error, then one line that sums up on standard output. */
async function replay(): Promise<void> {
  Object.assign(process.env, await environmentOfRunningStack());
  const sum = { questions: 0, full: 0, changed: 0, cites_anew: 0 };
  for await (const replayed of replayDownRated(loadProcessSettings())) {
    const { feedback, now } = replayed;
    const changed = now?.answer !== feedback.answer;
    note(
      JSON.stringify({
        question: feedback.question,
        comment: feedback.comment,
        before: feedback.answer,
        after: now?.answer,
      }),
    );
    sum.questions += 1;
    if (now?.degradation === 'none') sum.full += 1;
    if (changed) sum.changed += 1;
    if (citesAnew(replayed)) sum.cites_anew += 1;
  }
  process.stdout.write(`${JSON.stringify(sum)}\n`);
}

/** Deletes what the throw-away user put in, so that evaluations leave nothing behind. */
async function forget(client: Client): Promise<void> {
  const { items } = await client.call<{ items: { manual_id: string }[] }>('/api/manuals');
  for (const { manual_id } of items) {
    const job = await client.call<{ id: string }>(`/api/manuals/${manual_id}`, { method: 'DELETE' });
    await client.follow(job.id);
  }
}

main().catch((error: unknown) => {
  note(error instanceof Error ? error.message : String(error));
  process.exitCode = 1;
});

// `npm run ask -- "question" [--audio FILE | --live FILE] [--manual FILE ...]`: the client on the command line.
import { existsSync } from 'node:fs';
import { basename, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import type { JobView, Progress, QueryResult, UserEvent } from '@manuel/contracts';
import { askLive } from './support/ask-live.ts';
import { Client, demoUser } from './support/client.ts';
import { stackOptionsFromEnvironment } from './support/stack.ts';

const usage =
  'Usage: npm run ask -- "question" [--audio FILE | --live FILE] [--language CODE] [--manual FILE ...] [--user EMAIL]';
const note = (text: string): void => void process.stderr.write(`${text}\n`);

/** One line that changes in a terminal, one line a step elsewhere. */
function progressLine(label: string): (progress: Progress) => void {
  let last = '';
  return (progress) => {
    const text = `${label}: ${progress.step} ${progress.percent}%`;
    if (text === last) return;
    last = text;
    note(text);
  };
}

function finished(job: JobView): JobView {
  if (job.status === 'completed') return job;
  throw new Error(job.error ? `${job.error.title}: ${job.error.detail}` : `The job was ${job.status}.`);
}

function show(result: QueryResult, alreadyPrinted: boolean): void {
  if (!alreadyPrinted) process.stdout.write(`${result.answer}\n`);
  if (result.citations.length > 0) process.stdout.write('\nSources:\n');
  const seen = new Set<string>();
  for (const citation of result.citations) {
    const where = `${citation.filename}${citation.page === null ? '' : `, page ${citation.page}`}`;
    if (seen.has(where)) continue;
    seen.add(where);
    const excerpt = citation.excerpt.replaceAll(/\s+/g, ' ').slice(0, 120);
    process.stdout.write(`  ${where} (${citation.manual_id})\n    “${excerpt}…”\n`);
  }
  if (result.degradation !== 'none') note(`(degraded answer: ${result.degradation})`);
}

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      audio: { type: 'string' },
      live: { type: 'string' },
      language: { type: 'string' },
      manual: { type: 'string', multiple: true, default: [] },
      user: { type: 'string', default: demoUser },
    },
  });
  const question = positionals.join(' ').trim();
  if (!question && !values.audio && !values.live && values.manual.length === 0) throw new Error(usage);
  // npm changes to the project's folder; a path is meant from where the user stands.
  const fromHere = (file: string): string => resolve(process.env['INIT_CWD'] ?? process.cwd(), file);
  const manuals = values.manual.map(fromHere);
  const audio = values.audio === undefined ? undefined : fromHere(values.audio);
  const live = values.live === undefined ? undefined : fromHere(values.live);
  for (const file of [...manuals, ...(audio ? [audio] : []), ...(live ? [live] : [])]) {
    if (!existsSync(file)) throw new Error(`${file}: no such file`);
  }
  const client = await Client.signedIn(`http://127.0.0.1:${stackOptionsFromEnvironment().port}`, values.user);

  for (const path of manuals) {
    const job = await client.addManual(path);
    const report = progressLine(basename(path));
    const ended = finished(await client.follow(job.id, (event) => event.type === 'progress' && report(event.progress)));
    note(`${basename(path)}: ready, ${String(ended.result?.['pages'])} pages`);
  }
  if (!question && !audio && !live) return;

  const language = values.language === undefined ? {} : { language_code: values.language };
  const ask = (): Promise<JobView | QueryResult> => {
    if (live) return askLive(client, live, { ...language, onPartial: (text) => note(`… ${text}`) });
    return audio ? client.askAloud(audio, language) : client.ask({ question });
  };
  const accepted = await ask();
  if (!('status' in accepted)) return show(accepted, false);

  let printed = false;
  let heard = false;
  const report = progressLine('question');
  const onEvent = (event: UserEvent): void => {
    if (event.type === 'progress') {
      if (event.progress.transcription && !heard) {
        heard = true;
        note(`Heard: ${event.progress.transcription}`);
      } else if (!printed) report(event.progress);
    } else if (event.type === 'token') {
      printed = true;
      process.stdout.write(event.text);
    }
  };
  const job = finished(await client.follow(accepted.id, onEvent));
  if (printed) process.stdout.write('\n');
  show(job.result as unknown as QueryResult, printed);
}

main().catch((error: unknown) => {
  note(error instanceof Error ? error.message : String(error));
  process.exitCode = 1;
});

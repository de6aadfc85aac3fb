// `npm run bench [-- name ...]`: measures, against a stack it starts itself, and writes bench/results/.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { root } from '../scripts/support/child.ts';
import { ensureTools, redisTool } from '../scripts/support/system-packages.ts';
import { reached, toMarkdown, toSvg, type Section } from './report.ts';
import { answers } from './scenarios/answers.ts';
import { day } from './scenarios/day.ts';
import { fairness } from './scenarios/fairness.ts';
import { footprint } from './scenarios/footprint.ts';
import { gateway } from './scenarios/gateway.ts';
import { retrieval } from './scenarios/retrieval.ts';
import { voice } from './scenarios/voice.ts';
import { wholeWay } from './scenarios/whole-way.ts';
import { workers } from './scenarios/workers.ts';

const scenarios = [gateway, wholeWay, workers, fairness, footprint, voice, answers, retrieval, day];
const folder = join(root, 'bench', 'results');
const jsonPath = join(folder, 'results.json');

async function main(): Promise<void> {
  const wanted = process.argv.slice(2);
  const unknown = wanted.find((name) => !scenarios.some((scenario) => scenario.name === name));
  if (unknown !== undefined) {
    throw new Error(`There is no benchmark "${unknown}". There are: ${scenarios.map(({ name }) => name).join(', ')}`);
  }
  if (ensureTools([redisTool]).length > 0) throw new Error('The benchmarks need the package redis-server.');
  // A partial run replaces its own sections and keeps the others.
  const before = existsSync(jsonPath)
    ? (JSON.parse(readFileSync(jsonPath, 'utf8')) as { sections: Section[] }).sections
    : [];
  const measured = new Map(before.map((section) => [section.name, section]));
  for (const scenario of scenarios) {
    if (wanted.length > 0 && !wanted.includes(scenario.name)) continue;
    process.stdout.write(`${scenario.title} …\n`);
    measured.set(scenario.name, { name: scenario.name, title: scenario.title, rows: await scenario.run() });
  }
  const sections = scenarios.flatMap(({ name }) => measured.get(name) ?? []);
  const at = new Date().toISOString();
  const machine = `${cpus().length} × ${cpus()[0]?.model.trim() ?? 'unknown processor'}, Node ${process.version}`;
  mkdirSync(folder, { recursive: true });
  writeFileSync(jsonPath, `${JSON.stringify({ at, machine, sections }, null, 2)}\n`);
  const markdown = toMarkdown(sections, machine, at);
  writeFileSync(join(folder, 'results.md'), markdown);
  writeFileSync(join(folder, 'results.svg'), toSvg(sections));
  process.stdout.write(`\n${markdown}`);
  const missed = sections.flatMap(({ rows }) => rows.filter((row) => reached(row) === false));
  if (missed.length > 0) process.stdout.write(`Missed: ${missed.map((row) => row.what).join('; ')}\n`);
}

main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
  process.exitCode = 1;
});

// `npm run docs` writes the generated pages of docs/ from the sources; `--check` fails when a page is not what would be written.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { jobs } from '@manuel/contracts';
import { loadSettings, settingLeaves } from '@manuel/settings';
import { buildOpenApi } from '../services/gateway/src/entry/operations/index.ts';
import { z } from 'zod';
import { root } from './support/child.ts';

const made = '<!-- Made by `npm run docs`. Change the source, not this page. -->\n';
const cell = (text: string): string => text.replaceAll('|', '\\|').replaceAll('\n', ' ');
const table = (head: readonly string[], rows: readonly (readonly string[])[]): string =>
  [head, head.map(() => '---'), ...rows].map((row) => `| ${row.map(cell).join(' | ')} |`).join('\n');

function settingsPage(): string {
  const files = ['development', 'production', 'claude4'] as const;
  const settings = files.map((name) => loadSettings({ MANUEL_ENV: name }));
  const rows = settingLeaves().map((leaf) => {
    const values = settings.map((tree) => {
      const value = leaf.path.reduce<unknown>((node, key) => (node as Record<string, unknown>)[key], tree);
      if (leaf.secret) return '(secret)';
      return value === '' || (Array.isArray(value) && value.length === 0) ? '' : `\`${JSON.stringify(value)}\``;
    });
    const [development = '', production = '', claude4 = ''] = values;
    return [
      `\`${leaf.path.join('.')}\``,
      `\`${leaf.variable}\``,
      leaf.schema.description ?? '',
      development,
      production === development ? '=' : production,
      claude4 === production ? '=' : claude4,
    ];
  });
  return [
    made,
    '# Settings',
    '',
    'A parameter file of `config/` gives each setting its value; `MANUEL_ENV` picks the file (`development` unless set); an environment variable',
    'overlays it (a list as `a,b` or as JSON). `=` means: as in the column before.',
    '',
    table(['setting', 'variable', 'meaning', ...files], rows),
    '',
  ].join('\n');
}

function jobsPage(): string {
  const sections = Object.values(jobs).map((job) =>
    [
      `## ${job.name}`,
      '',
      `${job.summary}.`,
      '',
      table(
        ['queue', 'class', 'counts as', 'retry policy', 'expires after', 'steps'],
        [
          [
            job.queue,
            job.defaultClass,
            job.usage ?? 'nothing',
            `\`retry.${job.retry}\``,
            `${job.expiresInS} s`,
            Object.entries(job.steps)
              .map(([step, percent]) => `${step} ${percent}%`)
              .join(', '),
          ],
        ],
      ),
      '',
      'Payload:',
      '',
      '```json',
      JSON.stringify(z.toJSONSchema(job.payload, { io: 'input' }), null, 2),
      '```',
      '',
      'Result:',
      '',
      '```json',
      JSON.stringify(z.toJSONSchema(job.result), null, 2),
      '```',
      '',
    ].join('\n'),
  );
  return [made, '# Jobs', '', 'Each is declared once, in `libs/contracts/src/jobs/`.', '', ...sections].join('\n');
}

const pages: Readonly<Record<string, () => string>> = {
  'settings.md': settingsPage,
  'jobs.md': jobsPage,
  'openapi.json': () => `${JSON.stringify(buildOpenApi(), null, 2)}\n`,
};

const check = process.argv.includes('--check');
const folder = join(root, 'docs');
mkdirSync(folder, { recursive: true });
for (const [name, make] of Object.entries(pages)) {
  const path = join(folder, name);
  const fresh = make();
  if (!check) writeFileSync(path, fresh);
  else if (!existsSync(path) || readFileSync(path, 'utf8') !== fresh) {
    process.stdout.write(`docs/${name} is not up to date\n`);
    process.exitCode = 1;
  }
}

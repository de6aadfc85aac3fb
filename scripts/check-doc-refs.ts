// Fails when a Markdown page names a path of the project, an npm script or a link target that is not there.
import { existsSync, readFileSync } from 'node:fs';
import { spawnSync } from 'node:child_process';
import { dirname, join, normalize } from 'node:path';
import { root } from './support/child.ts';

const pages = spawnSync('git', ['ls-files', '-co', '--exclude-standard', '*.md'], { cwd: root, encoding: 'utf8' })
  .stdout.split('\n')
  .filter((name) => name !== '' && existsSync(join(root, name)));
const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { scripts: Record<string, string> };
const topFolders = /^(libs|services|dev|scripts|config|deploy|tests|bench|docs|web)\//;
const faults: string[] = [];

for (const page of pages) {
  const text = readFileSync(join(root, page), 'utf8');
  for (const [, quoted = ''] of text.matchAll(/`([^`\n]+)`/g)) {
    const path = quoted.replace(/[:#].*$/, '').replace(/\/$/, '');
    if (topFolders.test(`${path}/`) && !/[\s*<{$…]/.test(path) && !existsSync(join(root, path))) {
      faults.push(`${page}: \`${quoted}\` is not there`);
    }
  }
  for (const [, target = ''] of text.matchAll(/\]\(([^)\s]+)\)/g)) {
    if (/^(https?:|mailto:|#)/.test(target)) continue;
    if (!existsSync(join(root, normalize(join(dirname(page), target.replace(/#.*$/, '')))))) {
      faults.push(`${page}: link to ${target}, which is not there`);
    }
  }
  for (const [, script = ''] of text.matchAll(/npm run ([a-z][a-z:-]*)/g)) {
    if (!(script in scripts)) faults.push(`${page}: there is no npm script "${script}"`);
  }
}
process.stdout.write(faults.length === 0 ? `${pages.length} pages, all references hold\n` : `${faults.join('\n')}\n`);
process.exitCode = faults.length === 0 && pages.length > 0 ? 0 : 1;

// Installs what package-lock.json names when node_modules is missing or older than it.
// Plain JavaScript for Node 20: it runs before the project's own Node 24 and TypeScript are there.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { createHash } from 'node:crypto';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const stamp = join(root, 'node_modules', '.manuel-lock-sha256');
const want = createHash('sha256')
  .update(readFileSync(join(root, 'package-lock.json')))
  .digest('hex');
const have = existsSync(stamp) ? readFileSync(stamp, 'utf8').trim() : '';

if (want !== have) {
  const major = Number(process.versions.node.split('.')[0]);
  if (major < 20) {
    console.error(`Manuel needs Node 20 or newer to install itself; this is ${process.version}. Install a newer Node.`);
    process.exit(1);
  }
  console.error('Installing dependencies (npm install) …');
  // Not `npm ci`: it refuses a lock file that lacks the binaries of platforms other than the one that wrote it.
  const run = spawnSync('npm', ['install', '--no-save', '--no-audit', '--no-fund', '--loglevel=error'], {
    cwd: root,
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  if (run.status !== 0) {
    console.error('npm install failed: see the lines above. Is the npm registry reachable?');
    process.exit(run.status ?? 1);
  }
  writeFileSync(stamp, `${want}\n`);
}

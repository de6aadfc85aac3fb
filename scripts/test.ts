// `npm test`: every test, on a fresh clone too. Arguments go to jest.
import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { root } from './support/child.ts';
import { ensureTools, redisTool, speechTools } from './support/system-packages.ts';

const missing = ensureTools([redisTool, ...speechTools]);
if (missing.length > 0) {
  const packages = missing.flatMap((tool) => tool.packages).join(' ');
  process.stderr.write(`The tests need real programs. Install these packages and run npm test again: ${packages}\n`);
  process.exit(1);
}
const jest = createRequire(import.meta.url).resolve('jest/bin/jest.js');
const run = spawnSync(
  process.execPath,
  ['--experimental-vm-modules', '--disable-warning=ExperimentalWarning', jest, ...process.argv.slice(2)],
  { cwd: root, stdio: 'inherit' },
);
process.exit(run.status ?? 1);

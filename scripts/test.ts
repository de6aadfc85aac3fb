// `npm test`: every test, on a fresh clone too. Arguments go to jest.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { root } from './support/child.ts';
import { ensureTools, redisTool, speechTools } from './support/system-packages.ts';

const missing = ensureTools([redisTool, ...speechTools]);
if (missing.length > 0) {
  const packages = missing.flatMap((tool) => tool.packages).join(' ');
  process.stderr.write(`The tests need real programs. Install these packages and run npm test again: ${packages}\n`);
  process.exit(1);
}
// The package does not export its program, so that it is named by its place.
const jest = join(root, 'node_modules', 'jest', 'bin', 'jest.js');
const run = spawnSync(
  process.execPath,
  ['--experimental-vm-modules', '--disable-warning=ExperimentalWarning', jest, ...process.argv.slice(2)],
  { cwd: root, stdio: 'inherit' },
);
process.exit(run.status ?? 1);

// `npm run verify`: everything that can be judged without running the system. All checks run; the summary names those that failed.
import { spawn } from 'node:child_process';
import { root } from './support/child.ts';

const checks: readonly (readonly [name: string, command: readonly [string, ...string[]], fix: string])[] = [
  ['format', ['prettier', '--check', '--log-level', 'warn', '.'], 'npm run format'],
  ['lint', ['oxlint', '--deny-warnings'], 'see the messages above'],
  ['types', ['tsc', '-p', 'tsconfig.json'], 'see the messages above'],
  ['boundaries', ['node', 'scripts/check-boundaries.ts'], 'see the messages above'],
  ['dead code', ['knip', '--no-progress'], 'delete what nobody uses'],
  ['generated docs', ['node', 'scripts/generate-docs.ts', '--check'], 'npm run docs'],
  ['document references', ['node', 'scripts/check-doc-refs.ts'], 'mend the path that a document names'],
];

interface Verdict {
  readonly name: string;
  readonly ok: boolean;
  readonly output: string;
  readonly fix: string;
  readonly ms: number;
}

function runCheck([name, [program, ...args], fix]: (typeof checks)[number]): Promise<Verdict> {
  const started = Date.now();
  return new Promise((resolve) => {
    let output = '';
    const child = spawn(program, args, {
      cwd: root,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, FORCE_COLOR: '0' },
    });
    child.stdout.on('data', (data: Buffer) => (output += data.toString()));
    child.stderr.on('data', (data: Buffer) => (output += data.toString()));
    child.once('error', (error) => resolve({ name, ok: false, output: error.message, fix, ms: Date.now() - started }));
    child.once('close', (code) => resolve({ name, ok: code === 0, output, fix, ms: Date.now() - started }));
  });
}

const verdicts: Verdict[] = [];
// Two at a time: that is what a small machine has.
const waiting = [...checks];
await Promise.all(
  [0, 1].map(async () => {
    for (let next = waiting.shift(); next; next = waiting.shift()) verdicts.push(await runCheck(next));
  }),
);
for (const { name, ok, output, fix, ms } of verdicts) {
  process.stdout.write(`${ok ? 'ok    ' : 'FAILED'} ${name} (${(ms / 1000).toFixed(1)} s)\n`);
  if (!ok) process.stdout.write(`${output.trim()}\n  -> ${fix}\n`);
}
process.exitCode = verdicts.every((verdict) => verdict.ok) ? 0 : 1;

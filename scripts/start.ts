// `npm start`: the whole of Manuel on one machine, until Ctrl-C.
import { mkdirSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import type { Child } from './support/child.ts';
import { startStack, stackOptionsFromEnvironment, workerNames, type ServiceName, type Stack } from './support/stack.ts';
import { ensureTools, speechTools } from './support/system-packages.ts';

const say = (line: string): void => void process.stdout.write(`${line}\n`);
const warn = (line: string): void => void process.stderr.write(`${line}\n`);

function portTaken(port: number): Promise<boolean> {
  if (port === 0) return Promise.resolve(false);
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1' });
    socket.once('connect', () => (socket.destroy(), resolve(true)));
    socket.once('error', () => resolve(false));
  });
}

function welcome(stack: Stack): string {
  const port = new URL(stack.url).port;
  const other = port === '3000' ? '' : `PORT=${port} AWS_LOCAL_PORT=${new URL(stack.awsEndpoint).port} `;
  return [
    '',
    `Manuel is ready   ${stack.url}`,
    '',
    '  demo user   demo@example.com   password Manuel-demo-1',
    `  operators   ${stack.url}/ops   ops@example.com, the same password`,
    '',
    'Try, in another terminal:',
    '',
    `  ${other}npm run ask -- "How do I descale it?" --manual docs/examples/espresso-machine.pdf`,
    `  ${other}npm run ask -- --audio docs/examples/how-long-does-the-warranty-last.wav`,
    `  TOKEN=$(${other}npm run token); curl -s ${stack.url}/api/query -H "Authorization: Bearer $TOKEN" -H 'Content-Type: application/json' -H 'Prefer: wait=30' -d '{"question": "How do I descale it?"}'`,
    '',
    'Ctrl-C stops it; what you uploaded stays.',
  ].join('\n');
}

/** A worker that dies is started again, as a cluster would; five times in a minute is given up. */
function keepAlive(stack: Stack, name: ServiceName, child: Child, isStopping: () => boolean): void {
  const starts: number[] = [];
  const watch = (running: Child): void => {
    void running.exited.then(async ({ code, signal }) => {
      if (isStopping()) return;
      warn(`${name} ended (${signal ?? `code ${code}`}); starting it again`);
      starts.push(Date.now());
      if (starts.filter((at) => at > Date.now() - 60_000).length > 5) {
        warn(`${name} keeps ending. Its last lines:\n${running.tail}`);
        return;
      }
      try {
        watch(await stack.startService(name));
      } catch (error) {
        warn(error instanceof Error ? error.message : String(error));
      }
    });
  };
  watch(child);
}

async function main(): Promise<void> {
  const options = stackOptionsFromEnvironment();
  if (process.argv.includes('--reset')) {
    rmSync(options.localDir, { recursive: true, force: true });
    say(`Forgot everything under ${options.localDir}`);
  }
  for (const [name, port] of [
    ['PORT', options.port],
    ['AWS_LOCAL_PORT', options.awsLocalPort],
  ] as const) {
    if (await portTaken(port))
      throw new Error(`Port ${port} is taken, perhaps by another Manuel. Stop that one or set ${name}.`);
  }
  mkdirSync(join(options.localDir, 'logs'), { recursive: true });
  if (!process.env['SPEECH_URL']) {
    for (const tool of ensureTools(speechTools)) {
      warn(`Spoken questions need ${tool.packages.join(' and ')} (${tool.why}): install them, or set SPEECH_URL.`);
    }
  }

  const stack = await startStack({ ...options, onLine: say });
  let stopping = false;
  for (const name of ['gateway', ...workerNames] as const) {
    const child = stack.children.get(name);
    if (child) keepAlive(stack, name, child, () => stopping);
  }
  say(welcome(stack));

  const stop = (): void => {
    if (stopping) process.exit(130);
    stopping = true;
    say('\nStopping (again to stop at once) …');
    stack.stop().then(
      () => say('Stopped.'),
      (error: unknown) => {
        warn(String(error));
        process.exitCode = 1;
      },
    );
  };
  process.on('SIGINT', stop);
  process.on('SIGTERM', stop);
}

main().catch((error: unknown) => {
  warn(error instanceof Error ? error.message : String(error));
  process.exitCode = 1;
});

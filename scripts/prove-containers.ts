// `npm run containers`: builds the images, brings the compose file up, asks a question through it, takes it down again.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { Client, demoUser } from './support/client.ts';
import { root } from './support/child.ts';
import { onPath } from './support/system-packages.ts';
import type { QueryResult } from './support/client.ts';

const say = (line: string): void => void process.stdout.write(`${line}\n`);

function engine(): { build: readonly string[]; compose: readonly string[] } {
  if (onPath('docker') && spawnSync('docker', ['info'], { stdio: 'ignore', timeout: 5000 }).status === 0) {
    return { build: ['docker', 'build'], compose: ['docker', 'compose'] };
  }
  if (onPath('podman') && onPath('podman-compose')) {
    return { build: ['podman', 'build', '--network', 'host'], compose: ['podman-compose'] };
  }
  throw new Error('No container engine answers: install Docker, or podman with podman-compose.');
}

function run(command: readonly string[], ...args: string[]): void {
  const [program = '', ...first] = command;
  say(`$ ${[...command, ...args].join(' ')}`);
  const done = spawnSync(program, [...first, ...args], {
    cwd: root,
    stdio: ['ignore', 'ignore', 'inherit'],
    timeout: 900_000,
  });
  if (done.status !== 0) throw new Error(`${program} failed (${done.signal ?? `code ${done.status}`})`);
}

async function until<T>(what: string, seconds: number, look: () => Promise<T | undefined>): Promise<T> {
  const end = Date.now() + seconds * 1000;
  for (;;) {
    const found = await look().catch(() => undefined);
    if (found !== undefined) return found;
    if (Date.now() > end) throw new Error(`no ${what} within ${seconds} s`);
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
}

async function main(): Promise<void> {
  const { build, compose } = engine();
  run(build, '--target', 'service', '-t', 'manuel', '.');
  run(build, '--target', 'aws-local', '-t', 'manuel-aws-local', '.');
  try {
    run(compose, 'up', '-d', '--no-build');
    const url = 'http://localhost:3000';
    const ready = await until('readiness', 120, async () => ((await fetch(`${url}/readyz`)).ok ? true : undefined));
    say(`ready: ${ready}`);
    const client = await Client.signedIn(url, demoUser);
    const manual = await client.addManual(join(root, 'docs/examples/espresso-machine.pdf'));
    const ingested = await client.follow(manual.id);
    if (ingested.status !== 'completed')
      throw new Error(`the manual was ${ingested.status}: ${ingested.error?.detail}`);
    const asked = await client.ask({ question: 'How often must I descale the machine?' });
    const result = 'status' in asked ? (await client.follow(asked.id)).result : asked;
    const { answer, citations } = result as unknown as QueryResult;
    say(answer);
    if (!citations.some((citation) => citation.page === 10)) throw new Error('the answer does not cite page 10');
    say('The compose file works.');
  } finally {
    run(compose, 'down', '-v');
  }
}

main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
});

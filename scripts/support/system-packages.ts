import { spawnSync } from 'node:child_process';
import { accessSync, constants, existsSync, readFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';

/** Where `command` is on PATH, or undefined. */
export function onPath(command: string): string | undefined {
  for (const folder of (process.env['PATH'] ?? '').split(delimiter)) {
    const path = join(folder, command);
    try {
      accessSync(path, constants.X_OK);
      return path;
    } catch {
      continue;
    }
  }
  return undefined;
}

/** Whether this is Debian or a child of it, and we may install packages. */
export function canInstall(): boolean {
  if (process.getuid?.() !== 0 || !onPath('apt-get') || !existsSync('/etc/os-release')) return false;
  return /^ID(_LIKE)?=.*(debian|ubuntu)/m.test(readFileSync('/etc/os-release', 'utf8'));
}

/**
 * Installs the distribution's packages, saying so. False when that failed; the package manager's own words are shown.
 * A service that a package would start on its own is kept from starting.
 */
export function installPackages(packages: readonly string[], why: string): boolean {
  process.stderr.write(`Installing ${packages.join(', ')} from the distribution (${why}) …\n`);
  const environment = { ...process.env, DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' };
  const apt = (...args: string[]): boolean => {
    const run = spawnSync('apt-get', ['-qq', ...args], {
      env: environment,
      stdio: ['ignore', 'ignore', 'pipe'],
      timeout: 300_000,
      encoding: 'utf8',
    });
    if (run.status !== 0) process.stderr.write(run.stderr ?? '');
    return run.status === 0;
  };
  const install = (): boolean => apt('install', '-y', '--no-install-recommends', ...packages);
  return install() || (apt('update') && install());
}

/** A program, the packages that bring it, and what it is for. */
export interface Tool {
  readonly command: string;
  readonly packages: readonly string[];
  readonly why: string;
}

export const redisTool: Tool = { command: 'redis-server', packages: ['redis-server'], why: 'the queues' };
export const speechTools: readonly Tool[] = [
  {
    command: 'pocketsphinx_continuous',
    packages: ['pocketsphinx', 'pocketsphinx-en-us'],
    why: 'local speech recognition',
  },
  { command: 'ffmpeg', packages: ['ffmpeg'], why: 'reading recordings' },
];

/** Installs those that are missing where that is possible; returns those still missing. */
export function ensureTools(tools: readonly Tool[]): Tool[] {
  const missing = tools.filter((tool) => !onPath(tool.command));
  if (missing.length === 0) return [];
  if (canInstall()) {
    installPackages(
      missing.flatMap((tool) => tool.packages),
      [...new Set(missing.map((tool) => tool.why))].join(', '),
    );
  }
  return missing.filter((tool) => !onPath(tool.command));
}

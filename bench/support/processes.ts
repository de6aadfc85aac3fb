import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { root } from '../../scripts/support/child.ts';
import { reapWithUs } from '../../scripts/support/reaper.ts';

/** A program of the bench on its own process; it says `ready <value>` on a line of its own. */
export interface Program {
  readonly pid: number;
  /** What it said behind `ready`. */
  readonly value: string;
  /** The first later line that starts with `word`, without it. */
  line(word: string, timeoutMs?: number): Promise<string>;
  stop(): Promise<void>;
}

export async function startProgram(file: string, env: Readonly<Record<string, string>> = {}): Promise<Program> {
  const child: ChildProcess = spawn(process.execPath, [file], {
    cwd: root,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  reapWithUs(child);
  const lines: string[] = [];
  let wake: () => void = () => undefined;
  if (child.stdout) createInterface({ input: child.stdout }).on('line', (line) => (lines.push(line), wake()));
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));

  async function line(word: string, timeoutMs = 120_000): Promise<string> {
    const end = Date.now() + timeoutMs;
    for (;;) {
      const at = lines.findIndex((candidate) => candidate.startsWith(word));
      const found = at < 0 ? undefined : lines.splice(at, 1)[0];
      if (found !== undefined) return found.startsWith(word) ? found.slice(word.length).trim() : found;
      if (child.exitCode !== null) throw new Error(`${file} ended with code ${child.exitCode}`);
      if (Date.now() > end) throw new Error(`${file} said no "${word}" within ${timeoutMs} ms`);
      await new Promise<void>((resolve) => {
        wake = resolve;
        setTimeout(resolve, 100);
      });
    }
  }
  const value = await line('ready');
  return {
    pid: child.pid ?? 0,
    value,
    line,
    async stop() {
      child.kill('SIGTERM');
      const timer = setTimeout(() => child.kill('SIGKILL'), 10_000);
      await exited;
      clearTimeout(timer);
    },
  };
}

/** Processor time a process has used, milliseconds (user and system). Linux counts in hundredths of a second. */
export function cpuMs(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/^.*\) /, '')
    .split(' ');
  return (Number(fields[11]) + Number(fields[12])) * 10;
}

/** Resident memory of a process, MB. */
export function rssMb(pid: number): number {
  const pages = Number(readFileSync(`/proc/${pid}/statm`, 'utf8').split(' ')[1]);
  return (pages * 4096) / 1024 / 1024;
}

/** One of our services; its log goes to a file, as a cluster's would, and the object it logs as `ready` is returned. */
export async function startService(
  file: string,
  env: Readonly<Record<string, string>>,
  logFile: string,
): Promise<{ readonly pid: number; readonly ready: Readonly<Record<string, unknown>>; stop(): Promise<void> }> {
  const log = openSync(logFile, 'w');
  const child = spawn(process.execPath, [file], {
    cwd: root,
    env: { ...process.env, ...env },
    stdio: ['ignore', log, 'inherit'],
  });
  closeSync(log);
  reapWithUs(child);
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const end = Date.now() + 60_000;
  for (;;) {
    const line = readFileSync(logFile, 'utf8')
      .split('\n')
      .find((candidate) => candidate.includes('"message":"ready"'));
    if (line !== undefined) {
      return {
        pid: child.pid ?? 0,
        ready: JSON.parse(line) as Record<string, unknown>,
        async stop() {
          child.kill('SIGTERM');
          const timer = setTimeout(() => child.kill('SIGKILL'), 10_000);
          await exited;
          clearTimeout(timer);
        },
      };
    }
    if (child.exitCode !== null || Date.now() > end) throw new Error(`${file} did not get ready; see ${logFile}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

import { spawn, type ChildProcess } from 'node:child_process';
import { createWriteStream, mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { reapWithUs } from './reaper.ts';

export const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..');

export interface ChildSpec {
  readonly name: string;
  /** Program and arguments; TypeScript files run on this very Node. */
  readonly command: readonly [string, ...string[]];
  readonly env: Readonly<Record<string, string>>;
  readonly logFile: string;
}

/** A process of the stack: its output goes to a log file, and whoever asks may look at each line. */
export class Child {
  readonly name: string;
  readonly process: ChildProcess;
  readonly exited: Promise<{ code: number | null; signal: NodeJS.Signals | null }>;
  readonly #tail: string[] = [];
  readonly #watchers = new Set<(line: string) => void>();

  constructor(spec: ChildSpec) {
    this.name = spec.name;
    mkdirSync(dirname(spec.logFile), { recursive: true });
    const log = createWriteStream(spec.logFile, { flags: 'a' });
    const [program, ...args] = spec.command;
    // A group of its own: Ctrl-C in the terminal reaches only us, and we stop the children in order.
    this.process = spawn(program, args, {
      cwd: root,
      env: { ...process.env, ...spec.env },
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    });
    reapWithUs(this.process);
    this.exited = new Promise((resolve) => {
      this.process.once('exit', (code, signal) => resolve({ code, signal }));
      this.process.once('error', (error) => {
        this.#take(`cannot start ${program}: ${error.message}`);
        resolve({ code: 127, signal: null });
      });
    });
    for (const stream of [this.process.stdout, this.process.stderr]) {
      if (!stream) continue;
      createInterface({ input: stream }).on('line', (line) => {
        log.write(`${line}\n`);
        this.#take(line);
      });
    }
    void this.exited.then(() => log.end());
  }

  #take(line: string): void {
    this.#tail.push(line);
    if (this.#tail.length > 50) this.#tail.shift();
    for (const watcher of this.#watchers) watcher(line);
  }

  /** The last lines it wrote, for a message when it failed. */
  get tail(): string {
    return this.#tail.join('\n');
  }

  get running(): boolean {
    return this.process.exitCode === null && this.process.signalCode === null;
  }

  /** The first line for which `pick` returns something; throws when the process ends or the time is over before. */
  async line<T>(pick: (line: string) => T | undefined, timeoutMs: number, what: string): Promise<T> {
    for (const line of this.#tail) {
      const value = pick(line);
      if (value !== undefined) return value;
    }
    let timer: NodeJS.Timeout | undefined;
    let watcher: ((line: string) => void) | undefined;
    try {
      return await Promise.race([
        new Promise<T>((resolve) => {
          watcher = (line) => {
            const value = pick(line);
            if (value !== undefined) resolve(value);
          };
          this.#watchers.add(watcher);
        }),
        new Promise<never>((_resolve, reject) => {
          timer = setTimeout(
            () => reject(new Error(`${this.name}: no ${what} within ${timeoutMs} ms\n${this.tail}`)),
            timeoutMs,
          );
        }),
        this.exited.then(({ code, signal }): never => {
          throw new Error(`${this.name} ended (${signal ?? `code ${code}`}) before ${what}\n${this.tail}`);
        }),
      ]);
    } finally {
      clearTimeout(timer);
      if (watcher) this.#watchers.delete(watcher);
    }
  }

  /** SIGTERM, and SIGKILL when it has not ended by the deadline. */
  async stop(deadlineMs = 30_000): Promise<void> {
    if (!this.running) return;
    this.process.kill('SIGTERM');
    const timer = setTimeout(() => this.process.kill('SIGKILL'), deadlineMs);
    await this.exited;
    clearTimeout(timer);
  }
}

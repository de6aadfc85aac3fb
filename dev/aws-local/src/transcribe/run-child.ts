import { spawn } from 'node:child_process';
import { access, constants } from 'node:fs/promises';
import { delimiter, join } from 'node:path';

export interface ChildLimits {
  readonly timeoutMs: number;
  /** Address space, in MiB. */
  readonly memoryMb: number;
  readonly signal: AbortSignal;
}

export interface ChildResult {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
  readonly timedOut: boolean;
}

const MAX_OUTPUT_BYTES = 8 * 1024 * 1024;
/** The shell sets the memory limit and becomes the program, so that killing the child kills the program. */
const LIMITED = 'ulimit -v "$1" 2>/dev/null; shift; exec "$@"';

/** Runs a program to its end within limits of time, memory and output; what exceeds one is killed. */
export async function runChild(program: string, args: readonly string[], limits: ChildLimits): Promise<ChildResult> {
  limits.signal.throwIfAborted();
  const child = spawn('/bin/sh', ['-c', LIMITED, 'sh', String(limits.memoryMb * 1024), program, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    // The program, named by its full path, needs nothing of this process's environment.
    env: { LANG: 'C.UTF-8' },
  });
  let timedOut = false;
  const kill = () => child.kill('SIGKILL');
  const timer = setTimeout(() => {
    timedOut = true;
    kill();
  }, limits.timeoutMs);
  limits.signal.addEventListener('abort', kill, { once: true });
  const stdout = collect(child.stdout, kill);
  const stderr = collect(child.stderr, kill);
  try {
    const code = await new Promise<number | null>((resolve, reject) => {
      child.once('error', reject);
      child.once('close', resolve);
    });
    limits.signal.throwIfAborted();
    return { code, stdout: stdout(), stderr: stderr(), timedOut };
  } finally {
    clearTimeout(timer);
    limits.signal.removeEventListener('abort', kill);
  }
}

function collect(stream: NodeJS.ReadableStream, onFlood: () => void): () => string {
  const chunks: Buffer[] = [];
  let size = 0;
  stream.on('data', (chunk: Buffer) => {
    size += chunk.length;
    if (size <= MAX_OUTPUT_BYTES) chunks.push(chunk);
    else onFlood();
  });
  return () => Buffer.concat(chunks).toString('utf8');
}

/** The full path of a program on the PATH, or undefined. */
export async function findProgram(name: string, path: string): Promise<string | undefined> {
  for (const folder of path.split(delimiter).filter((entry) => entry !== '')) {
    const candidate = join(folder, name);
    try {
      await access(candidate, constants.X_OK);
      return candidate;
    } catch {
      // Not in this folder: the next may have it.
    }
  }
  return undefined;
}

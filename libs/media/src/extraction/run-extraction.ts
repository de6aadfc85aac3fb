import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { createReadStream } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { Readable } from 'node:stream';
import { dirname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ManuelError } from '@manuel/contracts';
import type { ManualFormat } from '@manuel/contracts';
import { limitParallel } from './limit-parallel.ts';
import { DocumentError } from './extracted.ts';
import type { ExtractionAnswer } from './extracted.ts';
import type { ExtractionOptions } from './extract-document.ts';
import type { DocumentSummary } from './summarise.ts';

export interface ExtractionLimits {
  /** Milliseconds. */
  readonly timeoutMs: number;
  /** Resident memory of the child process, MB. */
  readonly memoryMb: number;
}

export type DocumentSource = Uint8Array | { readonly path: string };

/** More text than any manual holds; a child that writes more is stopped. */
const maxAnswerBytes = 64 * 1024 * 1024;
const memoryCheckMs = 50;
const memoryPageBytes = 4096;
const child = fileURLToPath(new URL('./extract-child.ts', import.meta.url));

/** Parsers are hungry: as many at once as there are cores, the others wait their turn. */
const inTurn = limitParallel(availableParallelism());

/** What the child may read: its own code and the parsers'. Not the settings, not the disk, not another child. */
const readable = [
  dirname(child),
  resolve(dirname(child), '../../package.json'),
  resolve(dirname(child), '../../../../package.json'),
  ...['unpdf', 'fflate'].map((name) => {
    const path = fileURLToPath(import.meta.resolve(name));
    return path.slice(0, path.lastIndexOf(`node_modules/${name}`) + `node_modules/${name}`.length);
  }),
];

/**
 * Extracts the text of an untrusted document in a process of its own, without environment and with leave to read nothing but
 * its code. Beyond the time or the memory allowed it is killed. Throws DocumentError (the document is at fault), ManuelError
 * `cancelled` when the signal aborts.
 */
export function runExtraction(
  source: DocumentSource,
  format: ManualFormat,
  limits: ExtractionLimits & ExtractionOptions,
  signal?: AbortSignal,
): Promise<DocumentSummary> {
  return inTurn(() => extract(source, format, limits, signal), signal);
}

async function extract(
  source: DocumentSource,
  format: ManualFormat,
  limits: ExtractionLimits & ExtractionOptions,
  signal: AbortSignal | undefined,
): Promise<DocumentSummary> {
  const flags = [
    `--max-old-space-size=${limits.memoryMb}`,
    '--permission',
    ...readable.map((path) => `--allow-fs-read=${path}`),
    '--disable-warning=ExperimentalWarning',
  ];
  const extractor = spawn(
    process.execPath,
    [...flags, child, format, String(limits.maxPages), limits.withText ? 'text' : ''],
    {
      env: {},
      stdio: ['pipe', 'pipe', 'pipe'],
      serialization: 'json',
    },
  );
  let stopped: Error | undefined;
  const stop = (reason: Error): void => {
    stopped ??= reason;
    extractor.kill('SIGKILL');
  };
  const abort = (): void => stop(new ManuelError('cancelled', 'Stopped before the document was read.'));
  signal?.addEventListener('abort', abort, { once: true });
  if (signal?.aborted) abort();
  const deadline = setTimeout(() => stop(tooSlow(limits.timeoutMs)), limits.timeoutMs);
  const guard = setInterval(() => {
    void residentBytes(extractor).then((bytes) => {
      if (bytes > limits.memoryMb * 1024 * 1024) stop(tooLarge(limits.memoryMb));
    });
  }, memoryCheckMs);
  try {
    feed(source, extractor, stop);
    const { output, errors, code } = await collect(extractor, stop);
    if (stopped) throw stopped;
    return read(output, errors, code, limits);
  } finally {
    clearTimeout(deadline);
    clearInterval(guard);
    signal?.removeEventListener('abort', abort);
  }
}

function feed(source: DocumentSource, extractor: ChildProcess, stop: (reason: Error) => void): void {
  const { stdin } = extractor;
  if (!stdin) return;
  // A child that was killed, or has seen enough, closes its end: that is told by its exit, not by this pipe.
  stdin.on('error', () => undefined);
  const content = source instanceof Uint8Array ? Readable.from([source]) : createReadStream(source.path);
  content.once('error', stop);
  content.pipe(stdin);
  extractor.once('close', () => content.destroy());
}

function collect(
  extractor: ChildProcess,
  stop: (reason: Error) => void,
): Promise<{ output: string; errors: string; code: number | null }> {
  const output: Buffer[] = [];
  let size = 0;
  let errors = '';
  extractor.stdout?.on('data', (chunk: Buffer) => {
    size += chunk.length;
    if (size > maxAnswerBytes)
      stop(
        new DocumentError('document_unreadable', 'The document holds too much text. Split it and upload the parts.'),
      );
    else output.push(chunk);
  });
  extractor.stderr?.on('data', (chunk: Buffer) => {
    if (errors.length < 4000) errors += chunk.toString('utf8');
  });
  return new Promise((resolved, reject) => {
    extractor.once('error', reject);
    extractor.once('close', (code) => resolved({ output: Buffer.concat(output).toString('utf8'), errors, code }));
  });
}

function read(output: string, errors: string, code: number | null, limits: ExtractionLimits): DocumentSummary {
  if (output.endsWith('\n')) {
    // The child is our own code; only the document's text inside is foreign, and it is data.
    const answer = JSON.parse(output) as ExtractionAnswer;
    if ('summary' in answer) return answer.summary;
    throw new DocumentError(answer.fault, answer.detail, errors === '' ? {} : { cause: new Error(errors) });
  }
  if (/heap out of memory|Allocation failed/i.test(errors)) throw tooLarge(limits.memoryMb);
  throw new DocumentError(
    'document_unreadable',
    'The document could not be read. Open it on your computer, save it again and upload that.',
    {
      cause: new Error(`the extraction process ended with code ${code}: ${errors}`),
    },
  );
}

/** Linux tells without a process of its own; elsewhere the heap limit alone holds. */
async function residentBytes({ pid }: ChildProcess): Promise<number> {
  const statm = await readFile(`/proc/${pid}/statm`, 'utf8').catch(() => '0 0');
  return Number(statm.split(' ')[1]) * memoryPageBytes;
}

const tooSlow = (ms: number): DocumentError =>
  new DocumentError(
    'document_unreadable',
    `The document took longer than ${Math.round(ms / 1000)} s to read. Save it again, or split it, and upload that.`,
  );

const tooLarge = (mb: number): DocumentError =>
  new DocumentError(
    'document_unreadable',
    `Reading the document needs more than the ${mb} MB of memory allowed. Split it and upload the parts.`,
  );

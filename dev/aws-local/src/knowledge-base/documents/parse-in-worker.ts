import { Worker } from 'node:worker_threads';
import { UnreadableDocumentError, type ParsedDocument } from './parsed-document.ts';

/** What the worker thread answers (parse-worker.ts). */
export type ParseAnswer =
  { readonly parsed: ParsedDocument } | { readonly unreadable: string } | { readonly failure: string };

const MAX_HEAP_MB = 1_024;

/**
 * Parses in a thread of its own, so that neither a manual of a thousand pages nor a malicious one holds up the process.
 * Throws UnreadableDocumentError when the document is at fault, also when it takes longer than `timeoutMs`.
 */
export async function parseInWorker(bytes: Uint8Array, key: string, timeoutMs: number): Promise<ParsedDocument> {
  const worker = new Worker(new URL('./parse-worker.ts', import.meta.url), {
    workerData: { bytes, key },
    resourceLimits: { maxOldGenerationSizeMb: MAX_HEAP_MB },
    execArgv: ['--disable-warning=ExperimentalWarning'],
  });
  try {
    const answer = await answerOf(worker, timeoutMs);
    if ('parsed' in answer) return answer.parsed;
    if ('unreadable' in answer) throw new UnreadableDocumentError(answer.unreadable);
    throw new Error(answer.failure);
  } finally {
    await worker.terminate();
  }
}

function answerOf(worker: Worker, timeoutMs: number): Promise<ParseAnswer> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      reject(new UnreadableDocumentError(`The document could not be read within ${timeoutMs} ms.`));
    }, timeoutMs);
    const settle = (act: () => void): void => {
      clearTimeout(timer);
      act();
    };
    worker.once('message', (answer: ParseAnswer) => settle(() => resolve(answer)));
    worker.once('error', (error) => {
      const reason = new UnreadableDocumentError('The document could not be read.', { cause: error });
      settle(() => reject(reason));
    });
    worker.once('exit', (code) => settle(() => reject(new Error(`The parser stopped with code ${code}.`))));
  });
}

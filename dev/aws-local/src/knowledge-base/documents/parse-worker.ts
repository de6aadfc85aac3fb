import { parentPort, workerData } from 'node:worker_threads';
import { parseDocument } from './parse-document.ts';
import { UnreadableDocumentError } from './parsed-document.ts';
import type { ParseAnswer } from './parse-in-worker.ts';

/** The thread behind parse-in-worker.ts: one document in, one answer out. */
async function answer(): Promise<ParseAnswer> {
  const { bytes, key } = workerData as { bytes: Uint8Array; key: string };
  try {
    return { parsed: await parseDocument(bytes, key) };
  } catch (error) {
    if (error instanceof UnreadableDocumentError) return { unreadable: error.message };
    return { failure: error instanceof Error ? error.message : String(error) };
  }
}

parentPort?.postMessage(await answer());

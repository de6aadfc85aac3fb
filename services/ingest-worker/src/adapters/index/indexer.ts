import { sidecarKey } from '@manuel/media';
import type { BedrockAgent, DocumentState } from '@manuel/aws';
import { ManuelError } from '@manuel/contracts';
import type { Settings } from '@manuel/settings';
import type { Logger, Metrics } from '@manuel/telemetry';
import { startLoop } from './loop.ts';
import type { Loop } from './loop.ts';
import type { BoardEntry, BoardOperation, IndexBoard } from './index-board.ts';

export interface IndexerDependencies {
  readonly board: IndexBoard;
  readonly agent: BedrockAgent;
  readonly settings: Pick<Settings, 'ingest'>;
  readonly logger: Logger;
  readonly metrics: Metrics;
}

/** Bedrock's statuses of a document that has been taken in. */
const indexed = new Set(['INDEXED', 'PARTIALLY_INDEXED', 'METADATA_PARTIALLY_INDEXED']);
const refused = new Set(['FAILED', 'IGNORED', 'METADATA_UPDATE_FAILED']);
const maxTries = 4;
const growth = 1.5;

/**
 * Makes the calls that the board asks for, in loops of every worker at once. Direct mode: documents one batch a call. Job
 * mode: one ingestion job at a time makes the index mirror the bucket; what arrives meanwhile rides the next.
 */
export function startIndexer(deps: IndexerDependencies): { wake(): void; close(): Promise<void> } {
  const steps =
    deps.settings.ingest.mode === 'direct'
      ? [() => sendBatch(deps, 'ingest'), () => sendBatch(deps, 'delete'), () => look(deps)]
      : [() => runIngestionJob(deps), () => look(deps)];
  const loops: Loop[] = steps.map((step) => startLoop(step, deps.logger));
  return {
    wake: () => loops.forEach((loop) => loop.wake()),
    close: async () => void (await Promise.all(loops.map((loop) => loop.close()))),
  };
}

async function sendBatch({ board, agent, settings, logger, metrics }: IndexerDependencies, op: BoardOperation) {
  const taken = await board.take(op);
  if (taken === undefined || 'waitMs' in taken) return taken;
  const entries = await entriesOf(board, taken.uris, op);
  const uris = [...entries.keys()];
  if (uris.length === 0) return { waitMs: 0 };
  try {
    const call = op === 'ingest' ? agent.ingestDocuments(uris.map(withSidecar)) : agent.deleteDocuments(uris);
    const states = new Map((await call).map((state) => [state.uri, state]));
    metrics.count('ingest_batches_total', 'Calls that took documents in or out', { operation: op });
    for (const [uri, entry] of entries) {
      const state = states.get(uri) ?? { uri, status: 'PENDING' };
      await note(board, settings.ingest, { uri, entry: { ...entry, phase: 'sent' }, state });
    }
    return { waitMs: 0 };
  } catch (error) {
    logger.warn('the knowledge base did not take a batch', { operation: op, documents: uris.length, error });
    const retryable = !(error instanceof ManuelError) || error.retryable;
    for (const [uri, entry] of entries) await sendAgain(board, uri, entry, retryable ? entry.tries : entry.tries + 1);
    return { waitMs: error instanceof ManuelError ? (error.retryAfterMs ?? 1000) : 1000 };
  }
}

async function look({ board, agent, settings }: IndexerDependencies) {
  const taken = await board.takeLooks();
  if (taken === undefined || 'waitMs' in taken) return taken;
  const entries = await entriesOf(board, taken.uris);
  if (entries.size === 0) return { waitMs: 0 };
  const running = (await board.lane()) !== undefined;
  for (const state of await agent.getDocuments([...entries.keys()])) {
    const entry = entries.get(state.uri);
    if (entry) await note(board, settings.ingest, { uri: state.uri, entry, state, running });
  }
  return { waitMs: 0 };
}

/** What a document's status means for what was asked. */
async function note(
  board: IndexBoard,
  limits: Settings['ingest'],
  seen: { uri: string; entry: BoardEntry; state: DocumentState; running?: boolean },
): Promise<void> {
  const { uri, entry, state, running = false } = seen;
  const lookAgain = async (): Promise<void> => {
    const delay = Math.min(limits.poll_max_ms, limits.poll_initial_ms * growth ** entry.looks);
    await board.settle(uri, entry, { looks: entry.looks + 1 }, delay);
  };
  if (entry.phase === 'queued') {
    // Its taker died between the queue and the call, unless an ingestion job carries it now.
    await (running ? lookAgain() : sendAgain(board, uri, entry, entry.tries));
  } else if (entry.op === 'delete') {
    if (state.status === 'NOT_FOUND') await board.settle(uri, entry, { phase: 'done' });
    else if (state.status.startsWith('DELET') || running) await lookAgain();
    else await sendAgain(board, uri, entry, entry.tries + 1);
  } else if (indexed.has(state.status)) {
    await board.settle(uri, entry, { phase: 'done' });
  } else if (refused.has(state.status) && !running) {
    await board.settle(uri, entry, { phase: 'failed', reason: state.reason ?? state.status });
  } else if (state.status === 'NOT_FOUND' && !running) {
    await sendAgain(board, uri, entry, entry.tries + 1);
  } else {
    await lookAgain();
  }
}

async function sendAgain(board: IndexBoard, uri: string, entry: BoardEntry, tries: number): Promise<void> {
  if (tries >= maxTries) await board.settle(uri, entry, { phase: 'failed', reason: 'refused again and again' });
  else if ((await board.entry(uri))?.token === entry.token) await board.again(uri, entry, tries);
}

async function runIngestionJob({ board, agent, settings, logger, metrics }: IndexerDependencies) {
  const { poll_initial_ms, poll_max_ms, jobs_per_s } = settings.ingest;
  const lane = await board.lane();
  if (lane !== undefined) {
    const wait = await board.turn('lane', 1000 / Math.min(poll_max_ms, poll_initial_ms * 4));
    if (wait > 0) return { waitMs: wait };
    const job = await agent.getIngestionJob(lane);
    if (['STARTING', 'IN_PROGRESS', 'STOPPING'].includes(job.status)) return { waitMs: poll_initial_ms };
    if (job.status !== 'COMPLETE') logger.warn('an ingestion job ended early', { ...job });
    await board.setLane(undefined);
    return { waitMs: 0 };
  }
  const waiting = await board.waiting();
  if (waiting.length === 0) return undefined;
  const wait = await board.turn('job', jobs_per_s);
  if (wait > 0) return { waitMs: wait };
  const job = await agent.startIngestionJob(`${waiting.length} changes`);
  // Somebody else's runs: what waits rides the next.
  if (job === 'busy') return { waitMs: 0 };
  metrics.count('ingest_batches_total', 'Calls that took documents in or out', { operation: 'job' });
  await board.setLane(job.id);
  for (const [uri, entry] of await entriesOf(board, waiting)) {
    await board.settle(uri, entry, { phase: 'sent' }, poll_initial_ms);
  }
  await board.leaveQueue(waiting);
  return { waitMs: poll_initial_ms };
}

/** What is noted of these documents; those forgotten meanwhile, or asked something else of, are left out. */
async function entriesOf(board: IndexBoard, uris: readonly string[], op?: BoardOperation) {
  const entries = new Map<string, BoardEntry>();
  for (const uri of uris) {
    const entry = await board.entry(uri);
    if (entry && entry.phase !== 'done' && entry.phase !== 'failed' && (op ?? entry.op) === entry.op) {
      entries.set(uri, entry);
    } else if (!entry) {
      await board.forget(uri);
    }
  }
  return entries;
}

const withSidecar = (uri: string) => ({ uri, metadataUri: sidecarKey(uri) });

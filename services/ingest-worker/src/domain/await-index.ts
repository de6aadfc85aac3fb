import { ManuelError } from '@manuel/contracts';
import { s3Uri } from './s3-uri.ts';
import type { Outside, StepOutcome, Work } from './outside.ts';

/** What an ingest remembers while it waits for the index. */
export interface IndexingStep {
  readonly phase: 'indexing' | 'probing';
  readonly key: string;
  /** Words of the manual by which a search must find it. */
  readonly words: string;
  /** Milliseconds since 1970: when the waiting began. */
  readonly since: number;
  readonly looks: number;
  /** It has waited for its turn to search. */
  readonly turn?: boolean | undefined;
}

const growth = 1.4;

/**
 * One look at whether the manual can be found: first until the index has it, then until a search brings its first passage.
 * Answers `found`, or when to look again. Throws `indexing_failed`.
 */
export async function awaitIndex(
  outside: Outside,
  work: Work<'ingest'>,
  step: IndexingStep,
): Promise<'found' | StepOutcome<never>> {
  const { ingest, storage } = outside.settings;
  if (Date.now() - step.since > ingest.ready_timeout_ms) {
    outside.logger.warn('a manual did not become searchable in time', {
      manual_id: work.payload.manual_id,
      phase: step.phase,
    });
    throw failed('The manual is stored, but it did not become searchable in time.');
  }
  const uri = s3Uri(storage.manuals_bucket, step.key);
  const delayMs = Math.min(ingest.poll_max_ms, Math.round(ingest.poll_initial_ms * growth ** step.looks));
  const again = (change: Partial<IndexingStep> = {}, ms = delayMs): StepOutcome<never> => ({
    kind: 'again',
    delayMs: ms,
    step: { ...step, looks: step.looks + 1, ...change },
  });
  if (step.phase === 'indexing') {
    const state = await outside.index.state('add', uri);
    switch (state.phase) {
      case 'failed':
        await outside.index.forget(uri);
        outside.logger.warn('the index refused a manual', { manual_id: work.payload.manual_id, reason: state.reason });
        throw failed('The manual is stored, but the search index could not take it in.');
      case 'unknown':
        // The note was lost (Redis is only a note pad): ask again.
        await outside.index.add(uri, work.userId);
        return again();
      case 'under way':
        return again();
      case 'done':
        await work.progress({ step: 'indexing', percent: 85 });
    }
  }
  // A probe waits for its turn in the queue, not in this slot.
  const waitMs = step.turn === true ? 0 : await outside.index.turnToSearch();
  const looks = step.phase === 'probing' ? step.looks : 0;
  if (waitMs > 0) return again({ phase: 'probing', looks, turn: true }, waitMs);
  const { manual_id: manualId } = work.payload;
  const found = await outside.index.finds({ userId: work.userId, manualId, words: step.words }, work.signal);
  return found ? 'found' : again({ phase: 'probing', looks: looks + 1, turn: false });
}

const failed = (what: string): ManuelError =>
  new ManuelError('indexing_failed', `${what} Index it again; if that does not help, report it to support.`, {
    retryable: false,
  });

import type { S3 } from '@manuel/aws';
import type { IngestSource, JobPayload, Progress } from '@manuel/contracts';
import type { Ledger } from '@manuel/ledger';
import type { ManualFacts } from '@manuel/media';
import type { Settings } from '@manuel/settings';
import type { Logger } from '@manuel/telemetry';

/** How far the index is with a document. */
export type IndexState =
  | { readonly phase: 'unknown' | 'under way' | 'done' }
  /** `reason` is for logs: the index's own words. */
  | { readonly phase: 'failed'; readonly reason: string };

/** The knowledge base's documents. Requests are noted and carried out in batches; asking again while one is under way is harmless. */
export interface ManualIndex {
  add(uri: string, userId: string): Promise<void>;
  remove(uri: string, userId: string): Promise<void>;
  /** Of the last request of that kind. */
  state(kind: 'add' | 'remove', uri: string): Promise<IndexState>;
  forget(uri: string): Promise<void>;
  /** Takes a turn for `finds`; milliseconds until it comes. */
  turnToSearch(): Promise<number>;
  /** Whether a search finds this manual. */
  finds(
    manual: { readonly userId: string; readonly manualId: string; readonly words: string },
    signal: AbortSignal,
  ): Promise<boolean>;
}

export interface FetchedSource {
  readonly bytes: number;
  /** Hex. */
  readonly sha256: string;
  /** As the server names it. */
  readonly filename?: string;
}

/** Fetches an address into a file. Throws `fetch_refused`, `fetch_failed` and `payload_too_large`. */
export type FetchSource = (url: string, path: string, signal: AbortSignal) => Promise<FetchedSource>;

export type InspectManual = (
  file: { readonly path: string; readonly filename: string; readonly contentType: string | undefined },
  signal: AbortSignal,
) => Promise<ManualFacts>;

/** What happens to a user's answers and jobs when his manuals change. */
export interface Followers {
  /** Answers and passages cached before are no longer given. */
  manualsChanged(userId: string): Promise<void>;
  /** Answers the user's most asked questions again, so that they are cached. */
  warmUp(userId: string): Promise<void>;
  /** Queues the deletion of a manual; safe to call again. */
  deleteLater(userId: string, manualId: string): Promise<void>;
  /** Queues an ingest of the system's own: a manual to be indexed again, or a document that got an owner. */
  ingestLater(
    userId: string,
    manual: {
      readonly manualId: string;
      readonly source: IngestSource;
      readonly method: 'reindex' | 'adopt';
      readonly filename?: string;
    },
  ): Promise<void>;
}

/** All that the domain needs of the outside. */
export interface Outside {
  readonly settings: Settings;
  readonly logger: Logger;
  readonly ledger: Ledger;
  readonly s3: S3;
  readonly index: ManualIndex;
  readonly fetchSource: FetchSource;
  readonly inspectManual: InspectManual;
  readonly followers: Followers;
  /** Runs work with a folder of its own that is gone afterwards. */
  withFolder<T>(work: (folder: string) => Promise<T>): Promise<T>;
}

/** A job as the domain sees it. */
export interface Work<N extends 'ingest' | 'delete-manual'> {
  readonly jobId: string;
  readonly userId: string;
  readonly payload: JobPayload<N>;
  /** What the last step left for this one. */
  readonly step: Readonly<Record<string, unknown>>;
  readonly signal: AbortSignal;
  progress(progress: Progress): Promise<void>;
}

/** A step's outcome: the result, or look again later with this memory. */
export type StepOutcome<R> =
  | { readonly kind: 'done'; readonly result: R }
  | { readonly kind: 'again'; readonly delayMs: number; readonly step: Record<string, unknown> };

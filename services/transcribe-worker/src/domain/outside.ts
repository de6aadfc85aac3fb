import type { LanguageModels, S3, Transcribe } from '@manuel/aws';
import type { AudioFormat, WantedSpeechModel } from '@manuel/contracts';
import type { Ledger } from '@manuel/ledger';
import type { Settings } from '@manuel/settings';
import type { Logger, Metrics } from '@manuel/telemetry';

/** Transcribe's request limits, kept by all workers together. */
export interface Limiter {
  /**
   * Takes the first free place in time for a call, from `earliestMs` from now on. Answers in how many milliseconds it is:
   * 0 means now. Whoever is not there at that time has to take another.
   */
  reserve(call: 'start' | 'get', earliestMs?: number): Promise<number>;
  /** A place among the jobs that run at once; false: all are taken. The same name keeps the place it has. */
  occupy(name: string): Promise<boolean>;
  vacate(name: string): Promise<void>;
}

/** A transcript as it was heard, however long ago. */
export interface Heard {
  readonly text: string;
  /** Mean of the words' confidences, 0..1; null when there is none. */
  readonly confidence: number | null;
  readonly duration_s: number;
  readonly language_code: string;
}

/** Transcripts of the last hour, by owner, bytes and language. */
export interface TranscriptCache {
  get(userId: string, sha256: string, languages: readonly string[]): Promise<Heard | undefined>;
  set(userId: string, sha256: string, languages: readonly string[], heard: Heard): Promise<void>;
}

/** What is to be removed once Transcribe lets go of it. */
export interface Leftover {
  /** Of the Transcribe job. */
  readonly name: string;
  readonly keys: readonly string[];
}

export interface RecordingFacts {
  /** What the bytes are. */
  readonly format: AudioFormat;
  readonly duration_s: number;
  readonly sha256: string;
}

export interface Locks {
  /** False: another has it. It lapses after `ms`. */
  take(name: string, ms: number): Promise<boolean>;
  /** Does the work while nobody else does. Undefined: another does. Lapses soon after its holder died. */
  hold<T>(name: string, work: () => Promise<T>): Promise<{ readonly done: T } | undefined>;
}

/** A manual's text. Throws `document_unreadable` and the like. */
export type ReadManual = (
  bytes: Uint8Array,
  announced: { readonly filename: string; readonly contentType: string },
  signal: AbortSignal,
) => Promise<string>;

/** All that this service's verbs need of the outside. */
export interface Outside {
  readonly settings: Settings;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly ledger: Pick<Ledger, 'jobs' | 'manuals'>;
  readonly s3: Pick<S3, 'headObject' | 'getObject' | 'getObjectStream' | 'putObject' | 'deleteObjects'>;
  readonly transcribe: Transcribe;
  readonly limiter: Limiter;
  readonly transcripts: TranscriptCache;
  readonly leftovers: { add(leftover: Leftover): Promise<void> };
  readonly models: LanguageModels;
  /** Names of models that are known to be ready. */
  readonly readyModels: Pick<Set<string>, 'has' | 'add' | 'delete'>;
  readonly locks: Locks;
  /** Models that live speakers lacked; each is taken by one worker. Undefined: none. */
  readonly wantedModels: { take(): Promise<WantedSpeechModel | undefined> };
  readonly readManual: ReadManual;
  readonly now: () => number;
}

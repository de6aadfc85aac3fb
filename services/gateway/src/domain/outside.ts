import type { S3, TranscribeStreaming } from '@manuel/aws';
import type { CachedAnswer } from '@manuel/cache';
import type { ManualFormat, Persona, WantedSpeechModel } from '@manuel/contracts';
import type { Ledger } from '@manuel/ledger';
import type { AudioFacts } from '@manuel/media';
import type { Admitter, EventHub, ToJobView } from '@manuel/queues';
import type { Settings } from '@manuel/settings';
import type { Logger, Metrics } from '@manuel/telemetry';

/** Reads a recording's container, not its sound. Throws `audio_unreadable` and `audio_too_long`. */
export type InspectAudio = (bytes: Uint8Array, limits: { readonly maxDurationS: number }) => AudioFacts;

export interface ManualFacts {
  readonly format: ManualFormat;
  /** The type that the bytes have. */
  readonly content_type: string;
  readonly pages: number;
}

/**
 * Reads a manual whole, in a process that can be killed. Throws `document_unreadable`, `document_encrypted`,
 * `document_without_text` and `unsupported_media_type`.
 */
export type InspectManual = (
  bytes: Uint8Array,
  announced: { readonly filename: string; readonly contentType: string },
) => Promise<ManualFacts>;

/** Bounds how many microphones are open at once. */
export interface LivePlaces {
  /**
   * Takes a place; the answer gives it back. Throws `unavailable` (this gateway is full) and `rate_limited` (the user has as
   * many as allowed).
   */
  take(userId: string): Promise<() => void>;
}

/** All that the gateway's verbs need of the outside. */
export interface Outside {
  readonly settings: Settings;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly ledger: Ledger;
  readonly admitter: Admitter;
  readonly hub: EventHub;
  readonly s3: S3;
  readonly inspectAudio: InspectAudio;
  readonly inspectManual: InspectManual;
  readonly toJobView: ToJobView;
  readonly speech: TranscribeStreaming;
  readonly livePlaces: LivePlaces;
  /** Has the transcribe worker make a language model of the user's manuals. Waits for nothing, never throws. */
  readonly wantSpeechModel: (wanted: WantedSpeechModel) => void;
  /** Makes every cached answer of a user unreachable, at once and for all gateways. */
  readonly forgetAnswers: (userId: string) => Promise<void>;
  /** A cached answer from its stored form and the name of its place; undefined for one that another version has written. */
  readonly decodeAnswer: (stored: Buffer, at: string) => Promise<CachedAnswer | undefined>;
  /** Counts a cached answer; the id of the conversation that begins with it. Waits for nothing, never throws. */
  readonly beginWithCached: (userId: string, answer: CachedAnswer, persona: Persona) => string;
  /** Before a follow-up is admitted: what was put aside goes to the ledger. */
  readonly settleCachedTurn: (userId: string, conversationId: string) => Promise<void>;
}

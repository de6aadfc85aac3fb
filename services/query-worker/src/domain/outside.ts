import type { BedrockAgentRuntime, BedrockRuntime } from '@manuel/aws';
import type { Cache } from '@manuel/cache';
import type { Degradation } from '@manuel/contracts';
import type { ConversationsLedger, ManualRow } from '@manuel/ledger';
import type { Settings } from '@manuel/settings';
import type { Logger, Metrics } from '@manuel/telemetry';

/** All that answering needs of the outside. */
export interface Outside {
  readonly settings: Settings;
  readonly metrics: Metrics;
  /** All manuals of a user, as of this version of them (`cache.version`); undefined: as of now. */
  readonly manualsOf: (userId: string, version: string | undefined) => Promise<readonly ManualRow[]>;
  readonly conversations: ConversationsLedger;
  readonly search: Pick<BedrockAgentRuntime, 'retrieve'>;
  readonly model: Pick<BedrockRuntime, 'model' | 'streamAnswer' | 'complete'>;
  readonly cache: Cache;
  /** Counts how an answer came about, for the system's health. */
  readonly noteDegradation: (level: Degradation) => Promise<void>;
}

/** One run of the job: where its words go, and when to stop. */
export interface Run {
  readonly signal: AbortSignal;
  readonly logger: Logger;
  /** Sends a piece of the answer to the user. What was said cannot be taken back: all pieces together are the answer. */
  readonly say: (text: string) => void;
  readonly progress: (step: 'retrieving' | 'answering') => Promise<void>;
}

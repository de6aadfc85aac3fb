import type { BedrockAgentRuntime, BedrockRuntime } from '@manuel/aws';
import type { Cache } from '@manuel/cache';
import type { Degradation } from '@manuel/contracts';
import type { ConversationTurn, ManualRow } from '@manuel/ledger';
import type { Settings } from '@manuel/settings';
import type { Logger, Metrics } from '@manuel/telemetry';

export interface Conversations {
  /** The last turns, oldest first; none for a conversation that is not this user's. */
  turns(userId: string, conversationId: string): Promise<ConversationTurn[]>;
  /** Adds a turn once for each job, behind the answer. */
  keep(kept: {
    readonly userId: string;
    readonly conversationId: string;
    readonly jobId: string;
    readonly turn: ConversationTurn;
    /** The first turn of a conversation that this job has opened. */
    readonly isNew: boolean;
  }): void;
}

/** All that answering needs of the outside. */
export interface Outside {
  readonly settings: Settings;
  readonly metrics: Metrics;
  /** All manuals of a user, as of this version of them (`cache.version`); undefined: as of now. */
  readonly manualsOf: (userId: string, version: string | undefined) => Promise<readonly ManualRow[]>;
  readonly conversations: Conversations;
  readonly search: Pick<BedrockAgentRuntime, 'retrieve'>;
  readonly model: Pick<BedrockRuntime, 'model' | 'streamAnswer' | 'complete'>;
  readonly cache: Cache;
  /** Counts how an answer came about, for the system's health. */
  readonly noteDegradation: (level: Degradation) => void;
}

/** One run of the job: where its words go, and when to stop. */
export interface Run {
  readonly signal: AbortSignal;
  readonly logger: Logger;
  /** Sends a piece of the answer to the user. What was said cannot be taken back: all pieces together are the answer. */
  readonly say: (text: string) => void;
  readonly progress: (step: 'retrieving' | 'answering') => void;
}

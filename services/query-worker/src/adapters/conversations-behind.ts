import { setTimeout as sleep } from 'node:timers/promises';
import type { ConversationTurn, ConversationsLedger } from '@manuel/ledger';
import type { Settings } from '@manuel/settings';
import type { Logger } from '@manuel/telemetry';
import type { Conversations } from '../domain/outside.ts';

/** Milliseconds that a turn leaves to what its own answer has to write. */
const behindMs = 50;

/**
 * Conversations in the ledger, written behind the answer: nobody waits for the turn that only a follow-up needs. A follow-up
 * in this process waits for it. A turn that cannot be written costs the follow-up its context, and is logged.
 */
export function createConversationsBehind(deps: {
  readonly ledger: ConversationsLedger;
  readonly settings: Pick<Settings, 'conversation'>;
  readonly logger: Logger;
}): Conversations & { idle(): Promise<void> } {
  const { ledger, settings, logger } = deps;
  const { max_turns } = settings.conversation;
  const pending = new Map<string, Promise<void>>();
  const closing = new AbortController();
  // Cut short at the end: then it is written at once.
  const behind = (): Promise<void> =>
    sleep(behindMs, undefined, { signal: closing.signal }).catch((): undefined => undefined);

  return {
    async turns(userId, conversationId): Promise<ConversationTurn[]> {
      await pending.get(conversationId);
      return (await ledger.turns(userId, conversationId)).slice(-max_turns);
    },
    keep({ userId, conversationId, jobId, turn, isNew }) {
      const before = pending.get(conversationId) ?? Promise.resolve();
      const writing = before
        .then(behind)
        .then(() => ledger.append(userId, conversationId, jobId, turn, max_turns, isNew))
        .catch((error: unknown) => {
          logger.error('a turn was not added to its conversation', { conversation_id: conversationId, error });
        })
        .finally(() => {
          if (pending.get(conversationId) === writing) pending.delete(conversationId);
        });
      pending.set(conversationId, writing);
    },
    async idle() {
      closing.abort();
      await Promise.all(pending.values());
    },
  };
}

import type { Redis } from 'ioredis';
import { z } from 'zod';
import type { Ledger } from '@manuel/ledger';
import type { Settings } from '@manuel/settings';

const turnSchema = z.object({ question: z.string(), answer: z.string(), at: z.number() });

/** Seconds in which a follow-up to a cached answer finds its conversation. */
const keptS = 86_400;

/**
 * First turns of conversations that began with a cached answer. They wait in Redis and go to the ledger only when somebody
 * asks on, for hardly any cached answer is asked about.
 */
export interface CachedTurns {
  /** Puts a turn aside; losing it costs a follow-up its context, nothing else. */
  put(userId: string, conversationId: string, turn: { question: string; answer: string }): Promise<void>;
  /** Writes the turn to the ledger when one was put aside for this conversation. */
  settle(userId: string, conversationId: string): Promise<void>;
}

export function createCachedTurns(
  redis: Redis,
  conversations: Ledger['conversations'],
  settings: Pick<Settings, 'redis' | 'conversation'>,
): CachedTurns {
  const keyOf = (userId: string, conversationId: string): string =>
    `${settings.redis.prefix}:turn:${userId}:${conversationId}`;
  return {
    async put(userId, conversationId, turn) {
      await redis.set(keyOf(userId, conversationId), JSON.stringify({ ...turn, at: Date.now() }), 'EX', keptS);
    },
    async settle(userId, conversationId) {
      const stored = await redis.getdel(keyOf(userId, conversationId));
      if (stored === null) return;
      const turn = turnSchema.parse(JSON.parse(stored));
      // The conversation's own id fences the write: its first turn is written once.
      await conversations.append(userId, conversationId, conversationId, turn, settings.conversation.max_turns);
    },
  };
}

import type { CachedAnswer } from '@manuel/cache';
import { derivedId, newConversationId } from '@manuel/contracts';
import type { Ledger } from '@manuel/ledger';
import type { Settings } from '@manuel/settings';
import type { Redis } from 'ioredis';
import { LRUCache } from 'lru-cache';
import { z } from 'zod';

const turnSchema = z.object({ question: z.string(), answer: z.string(), at: z.number() });

/** Seconds in which a follow-up to a cached answer finds its conversation. */
const keptS = 86_400;
/** Milliseconds after which a turn that is still given out is put aside anew; its life in Redis is longer by that. */
const renewedMs = 3_600_000;
const rememberedConversations = 10_000;
/** The end of a conversation's id names the turn that it began with: 50 bits, among the few hundred answers of one user. */
const nameLength = 10;

/**
 * First turns of conversations that began with a cached answer. They wait in Redis, once for each answer however often it is
 * given, and go to the ledger only when somebody asks on, for hardly any cached answer is asked about.
 */
export interface CachedTurns {
  /** The id of a new conversation that begins with this answer. Puts the turn aside in passing; `failed` hears when it cannot. */
  begin(userId: string, answer: CachedAnswer, failed: (error: unknown) => void): string;
  /** Writes the turn to the ledger when one was put aside for this conversation. */
  settle(userId: string, conversationId: string): Promise<void>;
}

interface Turn {
  readonly name: string;
  /** For whom it was put aside last, and until when that holds (ms). */
  of: string;
  until: number;
}

export function createCachedTurns(
  redis: Redis,
  conversations: Ledger['conversations'],
  settings: Pick<Settings, 'redis' | 'conversation'>,
): CachedTurns {
  const keyOf = (userId: string, name: string): string => `${settings.redis.prefix}:turn:${userId}:${name}`;
  /** By answer, which is the same object while it is in the cache's memory. */
  const turns = new WeakMap<CachedAnswer, Turn>();
  const settled = new LRUCache<string, true>({ max: rememberedConversations });

  function turnOf(answer: CachedAnswer): Turn {
    const known = turns.get(answer);
    if (known) return known;
    const turn = { name: derivedId('turn', answer.question, answer.answer).slice(-nameLength), of: '', until: 0 };
    turns.set(answer, turn);
    return turn;
  }

  return {
    begin(userId, answer, failed) {
      const turn = turnOf(answer);
      const at = Date.now();
      if (turn.of !== userId || turn.until <= at) {
        turn.of = userId;
        turn.until = at + renewedMs;
        const stored = JSON.stringify({ question: answer.question, answer: answer.answer, at });
        redis.set(keyOf(userId, turn.name), stored, 'EX', keptS + renewedMs / 1000).catch((error: unknown) => {
          turn.until = 0;
          failed(error);
        });
      }
      return newConversationId().slice(0, -nameLength) + turn.name;
    },
    async settle(userId, conversationId) {
      // By user: who only names another's conversation settles nothing of it.
      const own = `${userId}:${conversationId}`;
      if (settled.has(own)) return;
      const stored = await redis.get(keyOf(userId, conversationId.slice(-nameLength)));
      if (stored !== null) {
        const turn = turnSchema.parse(JSON.parse(stored));
        // The conversation's own id fences the write: its first turn is written once.
        await conversations.append(userId, conversationId, conversationId, turn, settings.conversation.max_turns);
      }
      settled.set(own, true);
    },
  };
}

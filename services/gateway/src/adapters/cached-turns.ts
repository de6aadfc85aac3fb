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
const rememberedTurns = 10_000;
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

export function createCachedTurns(
  redis: Redis,
  conversations: Ledger['conversations'],
  settings: Pick<Settings, 'redis' | 'conversation'>,
): CachedTurns {
  const keyOf = (userId: string, name: string): string => `${settings.redis.prefix}:turn:${userId}:${name}`;
  const names = new WeakMap<CachedAnswer, string>();
  const putAside = new LRUCache<string, true>({ max: rememberedTurns, ttl: renewedMs });
  const settled = new LRUCache<string, true>({ max: rememberedTurns });

  function nameOf(answer: CachedAnswer): string {
    const known = names.get(answer);
    if (known !== undefined) return known;
    const name = derivedId('turn', answer.question, answer.answer).slice(-nameLength);
    names.set(answer, name);
    return name;
  }

  return {
    begin(userId, answer, failed) {
      const name = nameOf(answer);
      const key = keyOf(userId, name);
      if (!putAside.has(key)) {
        putAside.set(key, true);
        const turn = { question: answer.question, answer: answer.answer, at: Date.now() };
        redis.set(key, JSON.stringify(turn), 'EX', keptS + renewedMs / 1000).catch((error: unknown) => {
          putAside.delete(key);
          failed(error);
        });
      }
      return newConversationId().slice(0, -nameLength) + name;
    },
    async settle(userId, conversationId) {
      if (settled.has(conversationId)) return;
      const stored = await redis.get(keyOf(userId, conversationId.slice(-nameLength)));
      if (stored !== null) {
        const turn = turnSchema.parse(JSON.parse(stored));
        // The conversation's own id fences the write: its first turn is written once.
        await conversations.append(userId, conversationId, conversationId, turn, settings.conversation.max_turns);
      }
      settled.set(conversationId, true);
    },
  };
}

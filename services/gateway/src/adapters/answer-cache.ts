import type { Cache, CachedAnswer } from '@manuel/cache';
import { ManuelError, type Persona } from '@manuel/contracts';
import type { Logger } from '@manuel/telemetry';
import type { CachedTurns } from './cached-turns.ts';

/** What the gateway's verbs need of the cache, over libs/cache and the turns put aside. */
export interface AnswerCache {
  forgetAnswers(userId: string): Promise<void>;
  decodeAnswer(stored: Buffer): Promise<CachedAnswer | undefined>;
  noteCachedAnswer(
    userId: string,
    turn: { conversationId: string; question: string; answer: string; persona: Persona },
  ): void;
  settleCachedTurn(userId: string, conversationId: string): Promise<void>;
}

export function createAnswerCache(cache: Cache, turns: CachedTurns, logger: Logger): AnswerCache {
  return {
    forgetAnswers: (userId) => cache.bumpVersion(userId),
    decodeAnswer: (stored) => cache.decodeAnswer(stored),
    noteCachedAnswer(userId, { conversationId, question, answer, persona }) {
      cache.asked.note(userId, { question, persona });
      turns
        .put(userId, conversationId, { question, answer })
        .catch((error: unknown) => logger.debug('a cached answer was not noted', { error }));
    },
    async settleCachedTurn(userId, conversationId) {
      try {
        await turns.settle(userId, conversationId);
      } catch (cause) {
        if (cause instanceof ManuelError) throw cause;
        throw new ManuelError('unavailable', 'The conversation cannot be read at the moment. Try again soon.', {
          cause,
        });
      }
    },
  };
}

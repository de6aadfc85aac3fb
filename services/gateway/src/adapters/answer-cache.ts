import type { Cache, CachedAnswer } from '@manuel/cache';
import { ManuelError, type Persona } from '@manuel/contracts';
import type { Logger } from '@manuel/telemetry';
import type { CachedTurns } from './cached-turns.ts';

/** What the gateway's verbs need of the cache, over libs/cache and the turns put aside. */
export interface AnswerCache {
  forgetAnswers(userId: string): Promise<void>;
  decodeAnswer(stored: Buffer, at: string): Promise<CachedAnswer | undefined>;
  beginWithCached(userId: string, answer: CachedAnswer, persona: Persona): string;
  settleCachedTurn(userId: string, conversationId: string): Promise<void>;
}

export function createAnswerCache(cache: Cache, turns: CachedTurns, logger: Logger): AnswerCache {
  return {
    forgetAnswers: (userId) => cache.bumpVersion(userId),
    decodeAnswer: (stored, at) => cache.decodeAnswer(stored, at),
    beginWithCached(userId, answer, persona) {
      cache.asked.note(userId, { question: answer.question, persona });
      return turns.begin(userId, answer, (error) => logger.debug('a cached answer was not noted', { error }));
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

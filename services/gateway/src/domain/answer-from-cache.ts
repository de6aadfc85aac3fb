import { type AnswerKeyInput, type CachedAnswer, answerCacheKey } from '@manuel/cache';
import { type QueryRequest, type QueryResult, type UsageSummary } from '@manuel/contracts';
import type { AdmitRequest } from '@manuel/queues';
import type { Caller } from './caller.ts';
import type { Outside } from './outside.ts';

/** Where the answer to a question would be cached; undefined for one within a conversation, which is never. */
export function cacheKeyOf(
  { settings }: Pick<Outside, 'settings'>,
  caller: Caller,
  body: QueryRequest,
): AdmitRequest['cacheKey'] {
  if (!settings.cache.enabled || body.conversation_id !== undefined) return undefined;
  const input: AnswerKeyInput = {
    userId: caller.userId,
    question: body.question,
    persona: body.persona,
    model: settings.models.text_model_id,
    ...(body.manual_ids === undefined ? {} : { manualIds: body.manual_ids }),
    ...(body.max_results === undefined ? {} : { maxResults: body.max_results }),
  };
  return answerCacheKey(settings.redis.prefix, input);
}

/**
 * A cached answer as the result of this question: free of quota, with a conversation of its own. The turn is put aside and
 * written only if a follow-up comes, so that a cached answer costs no write.
 */
export function answerFromCache(
  outside: Outside,
  caller: Caller,
  body: QueryRequest,
  cached: CachedAnswer,
  usage: UsageSummary,
): QueryResult {
  const { question: _asked, ...answer } = cached;
  const conversation_id = outside.beginWithCached(caller.userId, cached, body.persona);
  return { ...answer, degradation: 'none', from_cache: true, conversation_id, usage };
}

import { type AnswerKeyInput, type CachedAnswer, answerCacheKey } from '@manuel/cache';
import { type QueryRequest, type QueryResult, type UsageSummary } from '@manuel/contracts';
import type { AdmitRequest } from '@manuel/queues';
import type { Caller } from './caller.ts';
import { JsonText } from './json-text.ts';
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
): JsonText {
  const conversation_id = outside.beginWithCached(caller.userId, cached, body.persona);
  const own: Pick<QueryResult, OwnFields> = { conversation_id, usage };
  return new JsonText(`${headOf(cached).slice(0, -1)},${JSON.stringify(own).slice(1)}`);
}

type OwnFields = 'conversation_id' | 'usage';

/** By answer, which stays the same object in the cache's memory. */
const heads = new WeakMap<CachedAnswer, string>();

/** What is the same whenever an answer is given out of the cache, as JSON. */
function headOf(cached: CachedAnswer): string {
  const known = heads.get(cached);
  if (known !== undefined) return known;
  const { question: _asked, ...answer } = cached;
  const same: Omit<QueryResult, OwnFields> = { ...answer, degradation: 'none', from_cache: true };
  const head = JSON.stringify(same);
  heads.set(cached, head);
  return head;
}

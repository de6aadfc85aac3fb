import { type JobPayload, ManuelError, type QueryRequest } from '@manuel/contracts';
import type { Answered, KeyedRequest } from '@manuel/queues';
import { answerFromCache, cacheKeyOf } from './answer-from-cache.ts';
import type { Caller } from './caller.ts';
import type { JsonText } from './json-text.ts';
import type { Outside } from './outside.ts';
import { screenQuestion } from './screen-question.ts';
import {
  type Idempotency,
  type Submitted,
  admitJob,
  admitRequest,
  answeredBefore,
  submitOnce,
  submittedJob,
} from './submission.ts';

/**
 * Admits a question, or answers it from the cache. Throws `not_found` for a manual that is not the caller's, and what
 * screening throws.
 */
export async function submitQuery(
  outside: Outside,
  caller: Caller,
  body: QueryRequest,
  idempotency?: Idempotency,
): Promise<Submitted> {
  screenQuestion(outside, caller, body.question);
  const payload = payloadOf(body);
  try {
    await checkManuals(outside, caller, payload.manual_ids);
  } catch (error) {
    // Only now, to keep the usual way short: a manual may have gone since the key was used first.
    return submitOnce(outside, caller, 'query', idempotency, () => Promise.reject(error));
  }
  if (payload.conversation_id !== undefined) await outside.settleCachedTurn(caller.userId, payload.conversation_id);
  const request = {
    job: 'query',
    operation: 'query',
    payload,
    options: body,
    idempotency,
  } as const;
  const cacheKey = cacheKeyOf(outside, caller, body);
  const admission = await admitJob(outside, caller, { ...request, cacheKey });
  if (admission.kind === 'job') return submittedJob(admission);
  const cached = await outside.decodeAnswer(admission.value, `${cacheKey?.prefix}${cacheKey?.suffix}`);
  if (cached) {
    const result = answerFromCache(outside, caller, body, cached, await admission.usage());
    const kept = idempotency && (await keepAnswer(outside, { ...admitRequest(caller, request), idempotency }, result));
    return kept ? answeredBefore(kept) : { kind: 'result', result };
  }
  // Written by another version of us: as if nothing were cached.
  return submittedJob(await admitJob(outside, caller, request));
}

/** Under an Idempotency-Key the same answer is given again. Undefined: this is the first one. */
async function keepAnswer(
  outside: Outside,
  request: KeyedRequest<'query'>,
  result: JsonText,
): Promise<Answered | undefined> {
  try {
    return await outside.admitter.keepAnswer(request, result.read());
  } catch (error) {
    if (!(error instanceof ManuelError) || error.code !== 'unavailable') throw error;
    // It is there and costs nothing: better than none.
    outside.logger.warn('an answer is not kept for its Idempotency-Key', { user_id: request.userId, error });
    return undefined;
  }
}

/** The question without what its job is about. (Taken apart with `...rest` it would cost a microsecond.) */
function payloadOf({ question, persona, manual_ids, conversation_id, max_results }: QueryRequest): JobPayload<'query'> {
  return {
    question,
    persona,
    ...(manual_ids === undefined ? {} : { manual_ids }),
    ...(conversation_id === undefined ? {} : { conversation_id }),
    ...(max_results === undefined ? {} : { max_results }),
  };
}

/** Throws `not_found` unless all are the caller's own and none is being deleted. */
export async function checkManuals(
  outside: Pick<Outside, 'ledger'>,
  caller: Caller,
  manualIds: readonly string[] | undefined,
): Promise<void> {
  if (manualIds === undefined) return;
  const rows = await Promise.all(manualIds.map((id) => outside.ledger.manuals.get(caller.userId, id)));
  if (rows.some((row) => row === undefined || row.status === 'deleting')) {
    throw new ManuelError('not_found', 'One of these manuals does not exist. List yours with GET /api/manuals.');
  }
}

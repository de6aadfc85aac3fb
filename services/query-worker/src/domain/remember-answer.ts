import { type CacheKey, answerKey, encodeAnswer, parseAnswer } from '@manuel/cache';
import type { Outside } from './outside.ts';
import type { Answer, Question } from './question.ts';

/** What must be the same for a similar question's answer to serve: persona and manuals asked for. */
export const similarScope = (question: Question): string =>
  `${question.persona}|${question.manualIds?.toSorted().join(',') ?? ''}`;

/** Where the question's answer is cached; undefined for one within a conversation, or when the version is not known. */
export function keyOfAnswer(outside: Outside, question: Question, version: string | undefined): CacheKey | undefined {
  if (version === undefined || question.conversationId !== undefined) return undefined;
  return answerKey(
    {
      userId: question.userId,
      question: question.text,
      persona: question.persona,
      model: outside.model.model,
      ...(question.manualIds ? { manualIds: question.manualIds } : {}),
      ...(question.maxResults === undefined ? {} : { maxResults: question.maxResults }),
    },
    version,
  );
}

export async function recallAnswer(outside: Outside, key: CacheKey): Promise<Answer | undefined> {
  const value = await outside.cache.get(key);
  const known = value && parseAnswer(value);
  if (!known) return undefined;
  const { question: _asked, ...answer } = known;
  return { ...answer, degradation: 'none', from_cache: true };
}

/** Keeps full answers that passages support; a lesser one, or none, is worth asking for again. */
export async function rememberAnswer(
  outside: Outside,
  key: CacheKey,
  question: Question,
  answer: Answer,
): Promise<void> {
  if (answer.degradation !== 'none' || answer.from_cache) return;
  const { answer: text, citations, context_used, model, passages } = answer;
  const stored = {
    question: question.text,
    answer: text,
    citations: [...citations],
    context_used,
    model,
    passages: [...passages],
  };
  await Promise.all([
    outside.cache.set(key, encodeAnswer(stored)),
    citations.length > 0 ? outside.cache.similar.note(key, question.text, similarScope(question)) : undefined,
  ]);
}

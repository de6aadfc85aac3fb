import type { RetrievedPassage } from '@manuel/aws';
import { parseAnswer } from '@manuel/cache';
import { classifyFailure } from '@manuel/resilience';
import { extractAnswer } from './extract-answer.ts';
import type { Outside, Run } from './outside.ts';
import { toPassageViews } from './passage-views.ts';
import type { Answer, Question } from './question.ts';
import { similarScope } from './remember-answer.ts';

/**
 * The ladder, for when there is no full answer: a cached answer to a similar question, quotations from the passages that were
 * found, the persona's template, an apology with a support id. Never throws for upstream trouble.
 *
 * `said`: what the user has already been told when the model broke off; the answer begins with it.
 */
export async function degradeAnswer(
  outside: Outside,
  run: Run,
  input: {
    readonly question: Question;
    readonly text: string;
    readonly error: unknown;
    readonly passages: readonly RetrievedPassage[];
    readonly version: string | undefined;
    readonly said: string;
    readonly tokens: { readonly input: number; readonly output: number };
  },
): Promise<Answer> {
  const { question, error, passages, said } = input;
  const persona = outside.settings.personas[question.persona];
  const lead = said === '' ? '' : `${said}\n\n`;
  const say = (text: string): void => run.say(said === '' ? text : `\n\n${text}`);
  const base = { from_cache: false, model: 'none', passages: toPassageViews(passages), tokens: input.tokens };
  const shift = lead.length;
  const moved = <T extends { span: [number, number] }>(citations: readonly T[]): T[] =>
    citations.map((citation) => ({ ...citation, span: [citation.span[0] + shift, citation.span[1] + shift] }));

  const similar = await findSimilar(outside, input);
  if (similar) {
    say(similar.answer);
    return {
      ...base,
      answer: lead + similar.answer,
      citations: moved(similar.citations),
      context_used: similar.context_used,
      model: similar.model,
      passages: similar.passages,
      degradation: 'cached',
      from_cache: true,
      similar_question: similar.question,
    };
  }
  const extracted = extractAnswer(input.text, passages);
  if (extracted) {
    say(extracted.answer);
    return {
      ...base,
      answer: lead + extracted.answer,
      citations: moved(extracted.citations),
      context_used: true,
      degradation: 'simplified',
    };
  }
  // Upstream trouble passes; anything else is a mistake of ours and said so.
  if (classifyFailure(error).counts) {
    say(persona.unavailable);
    return { ...base, answer: lead + persona.unavailable, citations: [], context_used: false, degradation: 'template' };
  }
  const apology = `Something went wrong on our side. Ask again, and quote ${question.requestId} to support if it persists.`;
  say(apology);
  return {
    ...base,
    answer: lead + apology,
    citations: [],
    context_used: false,
    degradation: 'error',
    support_id: question.requestId,
  };
}

async function findSimilar(
  outside: Outside,
  input: { readonly question: Question; readonly text: string; readonly version: string | undefined },
) {
  const { question, text, version } = input;
  if (version === undefined) return undefined;
  const threshold = outside.settings.degradation.similar_threshold;
  const of = { userId: question.userId, version };
  for (const candidate of await outside.cache.similar.find(of, text, similarScope(question), threshold)) {
    const value = await outside.cache.get(candidate.key);
    const answer = value && parseAnswer(value);
    if (answer) return answer;
  }
  return undefined;
}

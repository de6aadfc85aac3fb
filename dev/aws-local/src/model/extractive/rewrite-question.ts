import type { ConverseRequest } from '../wire/converse-shapes.ts';
import { completeAll, completeEllipsis } from './complete-ellipsis.ts';
import { messageText, readTask } from './read-request.ts';
import { isFollowUp } from './select-sentences.ts';
import { isGeneric, questionTerms, terms } from './terms.ts';

const TASK_LINE = /^\s*Task:\s*rewrite-question\s*$/im;

/** True when the system prompt asks, on a line of its own, for `Task: rewrite-question`. */
export function wantsRewrite(request: ConverseRequest): boolean {
  return TASK_LINE.test(request.system);
}

/**
 * The last question, made to stand alone: a follow-up gets the salient words of the question before it ("And how often?" after "How do I
 * descale the kettle?" becomes "How often descale the kettle?"). A question that already stands alone is returned as it is.
 */
export function rewriteQuestion(request: ConverseRequest): string {
  const { question, ...task } = readTask(request);
  const earlierQuestions = completeAll(task.earlierQuestions);
  const fallback = question === '' ? messageText(request.messages.at(-1) ?? { role: 'user', content: [] }) : question;
  const asked = questionTerms(fallback);
  const earlier = earlierQuestions.findLast((candidate) => terms(candidate).some((term) => !isGeneric(term)));
  if (earlier === undefined || !isFollowUp(fallback, asked)) return fallback;
  const whole = completeEllipsis(fallback, earlier);
  if (whole !== undefined) return whole;
  const known = new Set(asked);
  const missing = salientWords(earlier).filter((word) => !terms(word).every((term) => known.has(term)));
  if (missing.length === 0) return fallback;
  const ending = /[?.!]\s*$/.exec(fallback)?.[0].trim() ?? '?';
  const opening = fallback.replace(/^\s*(?:and|but|so|then|also|or)[,\s]+/i, '').replace(/[?.!\s]+$/, '');
  return `${capitalise(opening)} (${missing.join(' ')})${ending}`;
}

/** The words that carry the subject of a question, as written. */
function salientWords(question: string): string[] {
  return (question.match(/[\p{L}\p{N}][\p{L}\p{N}’'-]*/gu) ?? []).filter((word) => terms(word).length > 0);
}

function capitalise(text: string): string {
  return text.slice(0, 1).toUpperCase() + text.slice(1);
}

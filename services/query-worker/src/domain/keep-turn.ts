import type { Outside } from './outside.ts';
import { type Answer, type Question, conversationOf } from './question.ts';

/** Adds question and answer to the conversation, so that a follow-up can refer to them. Apologies are not worth referring to. */
export function keepTurn(outside: Pick<Outside, 'conversations'>, question: Question, answer: Answer): void {
  if (question.warmUp || answer.degradation === 'template' || answer.degradation === 'error') return;
  outside.conversations.keep({
    userId: question.userId,
    conversationId: conversationOf(question),
    jobId: question.jobId,
    turn: { question: question.text, answer: answer.answer, at: Date.now() },
    isNew: question.conversationId === undefined,
  });
}

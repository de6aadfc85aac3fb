import type { Outside, Run } from './outside.ts';
import type { Answer, Question } from './question.ts';

/**
 * Adds question and answer to the conversation, so that a follow-up can refer to them. Apologies are not worth referring to.
 * A turn that cannot be kept costs the follow-up its context, not the user this answer.
 */
export async function keepTurn(
  outside: Pick<Outside, 'conversations' | 'settings'>,
  run: Run,
  question: Question,
  conversationId: string,
  answer: Answer,
): Promise<void> {
  if (question.warmUp || answer.degradation === 'template' || answer.degradation === 'error') return;
  const turn = { question: question.text, answer: answer.answer, at: Date.now() };
  const { max_turns } = outside.settings.conversation;
  try {
    const isNew = question.conversationId === undefined;
    await outside.conversations.append(question.userId, conversationId, question.jobId, turn, max_turns, isNew);
  } catch (error) {
    run.logger.error('the turn was not added to the conversation', { conversation_id: conversationId, error });
  }
}

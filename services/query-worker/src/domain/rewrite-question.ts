import type { ConversationTurn } from '@manuel/ledger';
import type { Outside, Run } from './outside.ts';
import { rewritePrompt } from './system-prompt.ts';

const longest = 2000;
const maxTokens = 200;

/**
 * A follow-up ("and how often?") as a question that stands alone, for the search. When the model cannot be asked the
 * question before it is put in front, which a search engine understands as well.
 */
export async function rewriteQuestion(
  outside: Pick<Outside, 'model'>,
  run: Run,
  input: { readonly question: string; readonly turns: readonly ConversationTurn[]; readonly limitMs: number },
): Promise<{ readonly text: string; readonly tokens: { readonly input: number; readonly output: number } }> {
  const { question, turns, limitMs } = input;
  const none = { input: 0, output: 0 };
  const previous = turns.at(-1);
  if (!previous) return { text: question, tokens: none };
  try {
    const { text, tokens } = await outside.model.complete(
      { system: rewritePrompt, turns, question, maxTokens },
      { signal: run.signal, deadlineMs: limitMs, maxRetries: 0 },
    );
    const rewritten = text.trim();
    return { text: rewritten === '' || rewritten.length > longest ? question : rewritten, tokens };
  } catch (error) {
    if (run.signal.aborted) throw error;
    run.logger.warn('follow-up was not rewritten, the question before it is searched along', { error });
    return { text: `${previous.question} ${question}`.slice(0, longest), tokens: none };
  }
}

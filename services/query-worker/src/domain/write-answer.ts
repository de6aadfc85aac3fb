import type { RetrievedPassage } from '@manuel/aws';
import type { ConversationTurn, ManualRow } from '@manuel/ledger';
import { collectAnswer } from './collect-answer.ts';
import { degradeAnswer } from './degrade-answer.ts';
import { findPassages } from './find-passages.ts';
import { joinPassages, toModelPassage } from './join-passages.ts';
import type { Outside, Run } from './outside.ts';
import { toPassageViews } from './passage-views.ts';
import type { Answer, Question } from './question.ts';
import { rewriteQuestion } from './rewrite-question.ts';
import { systemPrompt } from './system-prompt.ts';
import { startBudget } from './time-budget.ts';
import { withholdOrders } from './withhold-orders.ts';

/**
 * Answers from the user's manuals: rewrite, retrieve, generate, cite; and, where that fails, by the ladder. Throws only when
 * the job is cancelled or out of time.
 */
export async function writeAnswer(
  outside: Outside,
  run: Run,
  input: {
    readonly question: Question;
    readonly turns: readonly ConversationTurn[];
    readonly manuals: readonly ManualRow[];
    readonly version: string | undefined;
  },
): Promise<Answer> {
  const { question, turns, manuals, version } = input;
  const persona = outside.settings.personas[question.persona];
  const budget = startBudget(outside.settings.queue.timeout_ms);
  let passages: RetrievedPassage[] = [];
  let text = question.text;
  let tokens = { input: 0, output: 0 };
  let said = '';
  try {
    run.progress('retrieving');
    const rewritten = await rewriteQuestion(outside, run, { question: text, turns, limitMs: budget.rewriteMs() });
    text = rewritten.text;
    tokens = rewritten.tokens;
    const found = await findPassages(outside, run, { question, text, manuals, version, limitMs: budget.retrieveMs() });
    passages = found.flatMap(withholdOrders);
    if (passages.some((passage) => !found.includes(passage)) || passages.length < found.length) {
      run.logger.warn('sentences of a manual that give the model orders were withheld');
    }
    const base = { degradation: 'none', from_cache: false, passages: toPassageViews(passages) } as const;
    if (passages.length === 0) {
      run.say(persona.no_answer);
      return { ...base, answer: persona.no_answer, citations: [], context_used: false, model: 'none', tokens };
    }
    run.progress('answering');
    const joined = joinPassages(passages);
    const collector = collectAnswer(joined, persona.no_answer, (piece) => {
      said += piece;
      run.say(piece);
    });
    const end = await outside.model.streamAnswer(
      {
        system: systemPrompt(persona.instruction),
        turns,
        question: question.text,
        passages: joined.map(toModelPassage),
      },
      (piece) => collector.piece(piece),
      { signal: run.signal, deadlineMs: budget.generateMs() },
    );
    tokens = { input: tokens.input + end.tokens.input, output: tokens.output + end.tokens.output };
    const { answer, citations } = collector.end(end.stop === 'end');
    return { ...base, answer, citations, context_used: true, model: outside.model.model, tokens };
  } catch (error) {
    if (run.signal.aborted) throw error;
    run.logger.warn('no full answer, a lesser one is given', { error });
    return degradeAnswer(outside, run, { question, text, error, passages, version, said, tokens });
  }
}

import type { ManualStatus } from '@manuel/contracts';
import type { ConversationTurn } from '@manuel/ledger';
import { keepTurn } from './keep-turn.ts';
import type { Outside, Run } from './outside.ts';
import type { Answer, Question } from './question.ts';
import { keyOfAnswer, recallAnswer, rememberAnswer } from './remember-answer.ts';
import { writeAnswer } from './write-answer.ts';

export interface AnsweredQuestion {
  readonly answer: Answer;
  /** Whether it counts against the user's quota: only what was made for this question does. */
  readonly charged: boolean;
  /** Settles once the answer is in the cache, if it belongs there. Never fails. */
  readonly kept: Promise<void>;
}

/** Those that may hold passages; `processing` may be an older, still searchable state of a manual. */
const searchable: readonly ManualStatus[] = ['ready', 'processing'];

/**
 * Answers a question: from the cache, from somebody else's run of the same question, or anew. Charged are full answers and
 * quotations; free are cached ones, those without a manual to look into, and apologies.
 */
export async function answerQuestion(outside: Outside, run: Run, question: Question): Promise<AnsweredQuestion> {
  const [turns, version] = await Promise.all([
    turnsOf(outside, question),
    outside.cache.enabled ? outside.cache.version(question.userId) : Promise.resolve(undefined),
  ]);
  const manuals = await outside.manualsOf(question.userId, version);
  if (!manuals.some((manual) => searchable.includes(manual.status))) return noManuals(outside, run, question);

  const key = keyOfAnswer(outside, question, version);
  const write = (): Promise<Answer> => writeAnswer(outside, run, { question, turns, manuals, version });
  const { answer, kept } = key
    ? await onceFor(outside, run, question, key, write)
    : { answer: await write(), kept: Promise.resolve() };
  note(outside, question, answer);
  const paid = answer.degradation === 'none' || answer.degradation === 'simplified';
  return { answer, charged: paid && !answer.from_cache && !question.warmUp, kept };
}

function note(outside: Outside, question: Question, answer: Answer): void {
  const { persona, text } = question;
  const labels = { degradation: answer.degradation, from_cache: String(answer.from_cache), persona };
  outside.metrics.count('answers_total', 'Answers', labels);
  keepTurn(outside, question, answer);
  if (!question.warmUp) outside.cache.asked.note(question.userId, { question: text, persona });
  outside.noteDegradation(answer.degradation);
}

async function turnsOf(outside: Outside, question: Question): Promise<ConversationTurn[]> {
  if (question.conversationId === undefined || outside.settings.conversation.max_turns === 0) return [];
  return outside.conversations.turns(question.userId, question.conversationId);
}

function noManuals(outside: Outside, run: Run, question: Question): AnsweredQuestion {
  const text = outside.settings.personas[question.persona].no_manuals;
  run.say(text);
  const nothing = { citations: [], passages: [], context_used: false, model: 'none', from_cache: false };
  return { answer: { ...nothing, answer: text, degradation: 'none' }, charged: false, kept: Promise.resolve() };
}

interface Given {
  readonly answer: Answer;
  readonly kept: Promise<void>;
}

/** From the cache, or written once for all who ask the same at the same time. */
async function onceFor(
  outside: Outside,
  run: Run,
  question: Question,
  key: NonNullable<ReturnType<typeof keyOfAnswer>>,
  write: () => Promise<Answer>,
): Promise<Given> {
  // In one round trip with the claim to be the one who writes it.
  const recalled = recallAnswer(outside, key);
  let known: Answer | undefined;
  const flight = await outside.cache.singleFlight(
    `${key.userId}:${key.version}:${key.digest}`,
    async () => {
      known = await recalled;
      return known ?? write();
    },
    { signal: run.signal, keep: (answer) => rememberAnswer(outside, key, question, answer) },
  );
  const { value, landed: kept } = flight;
  if (flight.leader && !known) return { answer: value, kept };
  run.say(value.answer);
  if (known) return { answer: known, kept };
  const { tokens: _leaders, ...answer } = value;
  return { answer: { ...answer, from_cache: true }, kept };
}

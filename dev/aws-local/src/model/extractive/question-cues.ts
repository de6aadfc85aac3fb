import { kindOf, type AnswerKind } from './answer-kinds.ts';
import { isImperative } from './imperative.ts';

/** What kind of sentence would answer a question. */
export interface QuestionCues {
  /** Asks for a procedure: steps and imperatives answer it, and the steps after the first belong to the answer. */
  readonly procedure: boolean;
  /** Names a subject and asks nothing: "water hardness". What stands under that heading answers it. */
  readonly bareTopic: boolean;
  /** What a fitting sentence looks like, if the question's words tell. */
  readonly kind: AnswerKind | undefined;
  /** Asks what is not so, or must not be done. */
  readonly negative: boolean;
}

const NEGATION = /\b(?:not|never|cannot|no|without|except|avoid|unable)\b|n[’']t\b/i;

const PROCEDURE =
  /\bhow (?:to|do|can|could|should|must|would|shall|does one|is (?:it|this|that)|are they)\b|\bhow (?:i|you|we|one) (?:can|could|should|must)\b|\bhow\s*\?|\b(?:steps?|procedure|instructions?|process|way|method) (?:to|for|of|on)\b|\bguide me\b|\binstruct\b|\bwhat (?:should|must|do|can) i do\b|\bwhere (?:can|do|to|should|could)\b|\bi (?:want|need|would like) to\b/i;

const QUESTION_WORD =
  /\?|\b(?:how|what|whats|where|when|why|which|who|whose|is|are|am|was|do|does|did|can|could|should|must|may|will|would|not)\b/i;
const MOST_WORDS_OF_A_TOPIC = 4;

export function readCues(question: string): QuestionCues {
  const kind = kindOf(question);
  const procedure = PROCEDURE.test(question) && kind?.strict !== true;
  return {
    procedure,
    bareTopic: !QUESTION_WORD.test(question) && question.trim().split(/\s+/).length <= MOST_WORDS_OF_A_TOPIC,
    kind: procedure ? { fits: isImperative, strict: false, required: false } : kind,
    negative: NEGATION.test(question),
  };
}

export function isNegative(sentence: string): boolean {
  return NEGATION.test(sentence);
}

/** A question that asks two things is answered part by part: "What is X and how do I set Y?" */
export function splitQuestion(question: string): string[] {
  const parts = question
    .split(
      /(?:\?\s+|[,;]?\s+and\s+(?:also\s+)?)(?=(?:please\s+|also\s+)?(?:how|what|where|when|why|which|who|can|could|is|are|does|do|explain|should|will)\b)/i,
    )
    .map((part) => part.trim())
    .filter((part) => part !== '');
  return parts.length > 3 ? [question] : parts;
}

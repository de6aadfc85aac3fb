import { type Citation, type Degradation, type PassageView, type Persona, derivedId } from '@manuel/contracts';

/** What a user asks. The user comes from the job's envelope, never from its payload. */
export interface Question {
  readonly jobId: string;
  readonly requestId: string;
  readonly userId: string;
  readonly text: string;
  readonly persona: Persona;
  /** Only these manuals; undefined: all of the user's. */
  readonly manualIds?: readonly string[];
  readonly conversationId?: string;
  /** Passages to look up; undefined: `knowledge_base.max_results`. */
  readonly maxResults?: number;
  /** Asked by the system to fill the cache: no conversation, no charge. */
  readonly warmUp: boolean;
}

/** The conversation that the answer belongs to; a new one has an id that a second run of the job finds again. */
export const conversationOf = (question: Question): string =>
  question.conversationId ?? `cnv_${derivedId('conversation', question.userId, question.jobId)}`;

export interface Answer {
  readonly answer: string;
  readonly citations: readonly Citation[];
  /** Whether at least one passage was found and used. */
  readonly context_used: boolean;
  /** `none` when no model was asked. */
  readonly model: string;
  readonly degradation: Degradation;
  readonly from_cache: boolean;
  readonly passages: readonly PassageView[];
  readonly similar_question?: string;
  readonly support_id?: string;
  readonly tokens?: { readonly input: number; readonly output: number };
}

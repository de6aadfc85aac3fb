import type { ContentBlock, ConverseStreamCommandInput, Message } from '@aws-sdk/client-bedrock-runtime';
import type { Settings } from '@manuel/settings';
import type { CitationStyle, ModelPassage } from './answer-pieces.ts';

export interface AnswerRequest {
  readonly system: string;
  /** Earlier turns of the conversation, oldest first. */
  readonly turns: readonly { readonly question: string; readonly answer: string }[];
  readonly question: string;
  readonly passages: readonly ModelPassage[];
}

type ModelSettings = Settings['models'];

const markerRule =
  'After each sentence put the numbers of the passages that support it in square brackets, such as [2] or [1, 3]. ' +
  'Use no other square brackets.';

/** Model, limits and guardrail, the same for every request. */
export function baseRequest(models: ModelSettings): {
  modelId: string;
  inferenceConfig: { maxTokens: number; temperature: number };
  guardrailConfig?: { guardrailIdentifier: string; guardrailVersion: string };
} {
  return {
    modelId: models.inference_profile_arn || models.text_model_id,
    inferenceConfig: { maxTokens: models.max_output_tokens, temperature: models.temperature },
    ...(models.guardrail_id === ''
      ? {}
      : { guardrailConfig: { guardrailIdentifier: models.guardrail_id, guardrailVersion: models.guardrail_version } }),
  };
}

export function turnsAsMessages(turns: AnswerRequest['turns']): Message[] {
  return turns.flatMap(({ question, answer }): Message[] => [
    { role: 'user', content: [{ text: question }] },
    { role: 'assistant', content: [{ text: answer }] },
  ]);
}

/** The question with its passages, as search results that the model cites itself or as numbered text. */
export function answerRequest(
  models: ModelSettings,
  request: AnswerRequest,
  style: CitationStyle,
): ConverseStreamCommandInput {
  const content: ContentBlock[] =
    style === 'native'
      ? [...request.passages.map(searchResult), { text: request.question }]
      : [{ text: numberedPassages(request) }];
  return {
    ...baseRequest(models),
    system: [{ text: style === 'native' ? request.system : `${request.system}\n${markerRule}` }],
    messages: [...turnsAsMessages(request.turns), { role: 'user', content }],
  };
}

const searchResult = (passage: ModelPassage): ContentBlock => ({
  searchResult: {
    title: passage.title,
    source: passage.source,
    content: passage.blocks.map((text) => ({ text })),
    citations: { enabled: true },
  },
});

/** What in a manual could pass for our own marks: its brackets become round, its tags lose theirs. */
const disarm = (text: string): string =>
  text.replace(/\[(\d{1,3}(?:\s*,\s*\d{1,3})*)\]/g, '($1)').replace(/<(\/?\s*(?:passages|question)\b[^>]*)>/gi, '($1)');

function numberedPassages(request: AnswerRequest): string {
  const passages = request.passages.map(
    (passage, index) => `[${index + 1}] ${disarm(passage.title)}: ${disarm(passage.blocks.join('\n'))}`,
  );
  return `<passages>\n${passages.join('\n\n')}\n</passages>\n\n<question>\n${disarm(request.question)}\n</question>`;
}

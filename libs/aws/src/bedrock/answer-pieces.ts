/** A passage as the model sees it: where it is from, and its text in blocks that can be cited one by one. */
export interface ModelPassage {
  readonly title: string;
  readonly source: string;
  readonly blocks: readonly string[];
}

/**
 * What a model says, in order. A citation supports the text of its segment: what was said since the last `segment-end`.
 */
export type AnswerPiece =
  | { readonly kind: 'text'; readonly text: string }
  | {
      readonly kind: 'citation';
      /** Index into the passages of the request. */
      readonly passage: number;
      /** First block and the block after the last one. */
      readonly blocks: readonly [number, number];
      /** What the model says it read there. */
      readonly quote: string;
    }
  | { readonly kind: 'segment-end' };

export interface AnswerEnd {
  readonly stop: 'end' | 'length' | 'guardrail' | 'filtered';
  readonly tokens: { readonly input: number; readonly output: number };
}

export type CitationStyle = 'native' | 'markers';

/** Claude models before search results came; other makers' models have none. */
const withoutSearchResults = /claude-(?:v\d|instant|3-(?:sonnet|haiku|opus)|3-5-sonnet-20240620)/;

/** How a model can be made to cite, as `models.citations` and the model id say. */
export function citationStyle(models: { citations: 'auto' | CitationStyle; text_model_id: string }): CitationStyle {
  if (models.citations !== 'auto') return models.citations;
  const native = models.text_model_id.includes('anthropic.') && !withoutSearchResults.test(models.text_model_id);
  return native ? 'native' : 'markers';
}

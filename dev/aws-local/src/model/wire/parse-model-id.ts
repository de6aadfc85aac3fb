import { invalid } from './read-json.ts';

const FOUNDATION_MODEL =
  /^(?:(?:us|eu|apac|us-gov|ca|jp|au|sa|global)\.)?(?<provider>[a-z0-9-]+)\.(?<model>[a-z0-9][a-zA-Z0-9.:_-]*)$/;
const PROVIDERS = new Set(
  'ai21 amazon anthropic cohere deepseek google luma meta minimax mistral moonshot nvidia openai qwen stability twelvelabs writer zai'.split(
    ' ',
  ),
);
const ARN =
  /^arn:aws(?:-[a-z]+)*:bedrock:[a-z0-9-]{1,20}:(?:\d{12})?:(?<kind>foundation-model|inference-profile|application-inference-profile|provisioned-model|imported-model|custom-model-deployment|default-prompt-router|prompt-router)\/(?<model>[a-zA-Z0-9.:_-]+)$/;

/** Older Claude models and other makers' refuse search results in a conversation; an opaque profile is given the benefit of the doubt. */
const WITHOUT_SEARCH_RESULTS = /claude-(?:v|instant|3-(?:sonnet|haiku|opus)|3-5-sonnet-20240620)/;

export interface ModelId {
  readonly id: string;
  readonly supportsSearchResults: boolean;
}

/**
 * Reads a model id, an inference profile id or an ARN of either.
 * @throws AwsError ValidationException for anything that Bedrock would not know by its form
 */
export function parseModelId(raw: string): ModelId {
  const arn = ARN.exec(raw)?.groups;
  const opaque = arn !== undefined && arn['kind'] !== 'foundation-model' && arn['kind'] !== 'inference-profile';
  if (opaque) return { id: raw, supportsSearchResults: true };
  const plain = FOUNDATION_MODEL.exec(arn?.['model'] ?? raw)?.groups;
  const provider = plain?.['provider'];
  if (provider === undefined || !PROVIDERS.has(provider)) throw invalid('The provided model identifier is invalid.');
  return { id: raw, supportsSearchResults: provider === 'anthropic' && !WITHOUT_SEARCH_RESULTS.test(raw) };
}

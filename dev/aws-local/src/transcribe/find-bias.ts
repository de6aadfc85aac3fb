import type { Bias, JobRequest } from './job.ts';
import type { LanguageModels } from './language-models.ts';
import { badRequest } from './read-fields.ts';
import type { Vocabularies } from './vocabularies.ts';

/**
 * What the vocabulary and language model that a job names hold; undefined when it names none.
 * @throws AwsError when one is missing, not ready, or of another language
 */
export function findBias(
  request: Pick<JobRequest, 'vocabularyName' | 'languageModelName' | 'languageCode'>,
  vocabularies: Vocabularies,
  models: LanguageModels,
): Bias | undefined {
  const vocabulary = request.vocabularyName === undefined ? undefined : vocabularies.find(request.vocabularyName);
  const model = request.languageModelName === undefined ? undefined : models.find(request.languageModelName);
  if (vocabulary === undefined && model === undefined) return undefined;
  if (vocabulary !== undefined && vocabulary.state !== 'READY')
    throw badRequest(`The vocabulary that you specified is not ready: ${vocabulary.name}.`);
  if (model !== undefined && model.status !== 'COMPLETED')
    throw badRequest(`The language model that you specified is not ready: ${model.name}.`);
  for (const resource of [vocabulary, model]) {
    if (
      resource !== undefined &&
      request.languageCode !== undefined &&
      resource.languageCode !== request.languageCode
    ) {
      throw badRequest(
        `The language of ${resource.name} (${resource.languageCode}) doesn't match the language of the job (${request.languageCode}).`,
      );
    }
  }
  const phrases = vocabulary?.phrases ?? [];
  return {
    key: JSON.stringify([phrases, model?.textHash]),
    sources: [
      ...(vocabulary === undefined ? [] : [vocabularySource(vocabulary.name)]),
      ...(model === undefined ? [] : [model.textHash]),
    ],
    phrases,
    texts: async () => (model === undefined ? [] : [await models.readText(model)]),
  };
}

export function vocabularySource(name: string): string {
  return `vocabulary ${name}`;
}

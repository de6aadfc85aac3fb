import {
  type CLMLanguageCode,
  ConflictException,
  CreateLanguageModelCommand,
  DeleteLanguageModelCommand,
  DescribeLanguageModelCommand,
  LimitExceededException,
  ListLanguageModelsCommand,
  NotFoundException,
  TranscribeClient,
} from '@aws-sdk/client-transcribe';
import type { Resilience } from '@manuel/resilience';
import type { Settings } from '@manuel/settings';
import { clientOptions } from './client-options.ts';
import type { ObjectAddress } from './s3.ts';

export type LanguageModelState = 'building' | 'ready' | 'failed';

/** Languages that a custom language model can be made for (Amazon Transcribe, "Custom language models"). */
export const modelLanguages: readonly string[] = ['en-US', 'hi-IN', 'es-US', 'en-GB', 'en-AU', 'de-DE', 'ja-JP'];

export interface LanguageModels {
  /** Undefined: there is no such model. */
  state(name: string, signal?: AbortSignal): Promise<LanguageModelState | undefined>;
  /** Makes a model of the .txt files under a prefix. `full`: the account may have no more. */
  create(
    input: {
      readonly name: string;
      readonly language: string;
      readonly texts: ObjectAddress;
      readonly roleArn: string;
    },
    signal?: AbortSignal,
  ): Promise<'made' | 'already' | 'full'>;
  /** Names of all models that hold this. */
  names(contains: string, signal?: AbortSignal): AsyncIterable<string>;
  /** One that is not there counts as deleted. */
  delete(name: string, signal?: AbortSignal): Promise<void>;
  close(): void;
}

/** Amazon Transcribe's custom language models behind our own retries, breaker and time limits. Throws ManuelError only. */
export function createLanguageModels(deps: {
  readonly settings: Pick<Settings, 'region' | 'pool'>;
  readonly resilience: Resilience;
}): LanguageModels {
  const client = new TranscribeClient(clientOptions(deps.settings));
  const call = <T>(operation: string, caller: AbortSignal | undefined, work: (signal: AbortSignal) => Promise<T>) =>
    deps.resilience.call({ upstream: 'transcribe', operation, ...(caller ? { signal: caller } : {}) }, work);

  return {
    state: (name, caller) =>
      call('DescribeLanguageModel', caller, async (signal) => {
        try {
          const command = new DescribeLanguageModelCommand({ ModelName: name });
          const { LanguageModel: model } = await client.send(command, { abortSignal: signal });
          if (model?.ModelStatus === 'COMPLETED') return 'ready';
          return model?.ModelStatus === 'FAILED' ? 'failed' : 'building';
        } catch (error) {
          if (error instanceof NotFoundException) return undefined;
          throw error;
        }
      }),

    create: ({ name, language, texts, roleArn }, caller) =>
      call('CreateLanguageModel', caller, async (signal) => {
        try {
          await client.send(
            new CreateLanguageModelCommand({
              ModelName: name,
              // Safe: callers choose from `modelLanguages`.
              LanguageCode: language as CLMLanguageCode,
              BaseModelName: 'WideBand',
              InputDataConfig: { S3Uri: `s3://${texts.bucket}/${texts.key}`, DataAccessRoleArn: roleArn },
            }),
            { abortSignal: signal },
          );
          return 'made';
        } catch (error) {
          if (error instanceof ConflictException) return 'already';
          if (error instanceof LimitExceededException) return 'full';
          throw error;
        }
      }),

    async *names(contains, caller) {
      let token: string | undefined;
      do {
        const more = token === undefined ? {} : { NextToken: token };
        const page = await call('ListLanguageModels', caller, (signal) =>
          client.send(new ListLanguageModelsCommand({ NameContains: contains, MaxResults: 100, ...more }), {
            abortSignal: signal,
          }),
        );
        for (const { ModelName: name } of page.Models ?? []) if (name !== undefined) yield name;
        token = page.NextToken;
      } while (token !== undefined);
    },

    delete: (name, caller) =>
      call('DeleteLanguageModel', caller, async (signal) => {
        await client.send(new DeleteLanguageModelCommand({ ModelName: name }), { abortSignal: signal });
      }),

    close: () => client.destroy(),
  };
}

import {
  BadRequestException,
  ConflictException,
  DeleteTranscriptionJobCommand,
  GetTranscriptionJobCommand,
  LanguageCode,
  LimitExceededException,
  NotFoundException,
  StartTranscriptionJobCommand,
  type StartTranscriptionJobCommandInput,
  TranscribeClient,
  type TranscriptionJob,
} from '@aws-sdk/client-transcribe';
import type { AudioFormat } from '@manuel/contracts';
import type { Resilience } from '@manuel/resilience';
import type { Settings } from '@manuel/settings';
import { clientOptions } from './client-options.ts';
import type { ObjectAddress } from './s3.ts';

export interface StartTranscription {
  /** Unique in the account; the same name again is the same job. */
  readonly name: string;
  readonly audio: ObjectAddress;
  readonly format: AudioFormat;
  /** One: it is spoken. More: the one that is spoken is found out. */
  readonly languages: readonly string[];
  /** Where the transcript is written. */
  readonly output: ObjectAddress;
  /** A model of what the speaker probably says, and the language it was made for, which is one of `languages`. */
  readonly model?: { readonly name: string; readonly language: string };
}

/** `already`: a job of this name is there. `busy`: as many jobs run as the account may have. */
export type Started = 'started' | 'already' | 'busy' | 'audio missing' | 'model missing';

export interface TranscriptionState {
  readonly status: 'running' | 'completed' | 'failed';
  readonly languageCode?: string;
  /** Transcribe's own words, for operators and for `explainFailure`. */
  readonly failureReason?: string;
}

export interface Transcribe {
  start(input: StartTranscription, signal?: AbortSignal): Promise<Started>;
  /** Undefined: there is no such job. */
  get(name: string, signal?: AbortSignal): Promise<TranscriptionState | undefined>;
  /** `running`: Transcribe deletes only jobs that have ended. One that is not there counts as deleted. */
  delete(name: string, signal?: AbortSignal): Promise<'deleted' | 'running'>;
  close(): void;
}

/** Whether recordings can be written down in a language. */
export const isRecordedLanguage = (code: string): code is LanguageCode =>
  Object.values(LanguageCode).some((known) => known === code);

/** Transcribe has no exception of its own for these; it says so in words. */
const isAbout = (error: unknown, words: RegExp): boolean =>
  error instanceof BadRequestException && words.test(error.message);
const noSuchJob = /couldn't be found/i;
const notEnded = /non-terminal state|in progress|can't be deleted/i;
const noSuchModel = /language model that you specified|requested (?:language )?model couldn't be found/i;
const noSuchAudio = /S3 URI that you provided (?:can't be accessed|doesn't point)/i;

function stateOf(job: TranscriptionJob | undefined): TranscriptionState | undefined {
  if (job === undefined) return undefined;
  const { TranscriptionJobStatus: status, LanguageCode: languageCode, FailureReason: failureReason } = job;
  return {
    status: status === 'COMPLETED' ? 'completed' : status === 'FAILED' ? 'failed' : 'running',
    ...(languageCode === undefined ? {} : { languageCode }),
    ...(failureReason === undefined ? {} : { failureReason }),
  };
}

/** Where the language is found out, what belongs to one language is named beside it. */
function spokenIn(
  languages: readonly LanguageCode[],
  model: StartTranscription['model'],
): Pick<
  StartTranscriptionJobCommandInput,
  'LanguageCode' | 'IdentifyLanguage' | 'LanguageOptions' | 'ModelSettings' | 'LanguageIdSettings'
> {
  const [only] = languages;
  const named = model === undefined ? undefined : { LanguageModelName: model.name };
  if (only !== undefined && languages.length === 1) {
    return { LanguageCode: only, ...(named === undefined ? {} : { ModelSettings: named }) };
  }
  return {
    IdentifyLanguage: true,
    LanguageOptions: [...languages],
    ...(model === undefined || named === undefined ? {} : { LanguageIdSettings: { [model.language]: named } }),
  };
}

/** Amazon Transcribe's batch jobs behind our own retries, breaker and time limits. Throws ManuelError only. */
export function createTranscribe(deps: {
  readonly settings: Pick<Settings, 'region' | 'pool' | 'storage'>;
  readonly resilience: Resilience;
}): Transcribe {
  const { settings, resilience } = deps;
  const client = new TranscribeClient(clientOptions(settings));
  const kmsKeyId = settings.storage.kms_key_id;
  const call = <T>(operation: string, caller: AbortSignal | undefined, work: (signal: AbortSignal) => Promise<T>) =>
    resilience.call({ upstream: 'transcribe', operation, ...(caller ? { signal: caller } : {}) }, work);

  return {
    start: (input, caller) =>
      call('StartTranscriptionJob', caller, async (signal) => {
        // Safe: Transcribe checks its own language codes and refuses others by name.
        const languages = input.languages as readonly LanguageCode[];
        try {
          await client.send(
            new StartTranscriptionJobCommand({
              TranscriptionJobName: input.name,
              Media: { MediaFileUri: `s3://${input.audio.bucket}/${input.audio.key}` },
              MediaFormat: input.format,
              ...spokenIn(languages, input.model),
              OutputBucketName: input.output.bucket,
              OutputKey: input.output.key,
              ...(kmsKeyId === '' ? {} : { OutputEncryptionKMSKeyId: kmsKeyId }),
            }),
            { abortSignal: signal },
          );
          return 'started';
        } catch (error) {
          if (error instanceof ConflictException) return 'already';
          if (error instanceof LimitExceededException) return 'busy';
          if (isAbout(error, noSuchAudio)) return 'audio missing';
          if (error instanceof NotFoundException || isAbout(error, noSuchModel)) return 'model missing';
          throw error;
        }
      }),

    get: (name, caller) =>
      call('GetTranscriptionJob', caller, async (signal) => {
        try {
          const command = new GetTranscriptionJobCommand({ TranscriptionJobName: name });
          return stateOf((await client.send(command, { abortSignal: signal })).TranscriptionJob);
        } catch (error) {
          if (isAbout(error, noSuchJob)) return undefined;
          throw error;
        }
      }),

    delete: (name, caller) =>
      call('DeleteTranscriptionJob', caller, async (signal) => {
        try {
          const command = new DeleteTranscriptionJobCommand({ TranscriptionJobName: name });
          await client.send(command, { abortSignal: signal });
          return 'deleted';
        } catch (error) {
          if (isAbout(error, noSuchJob)) return 'deleted';
          if (isAbout(error, notEnded)) return 'running';
          throw error;
        }
      }),

    close: () => client.destroy(),
  };
}

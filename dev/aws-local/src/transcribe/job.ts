import type { MediaFormat } from './media.ts';

export type JobStatus = 'QUEUED' | 'IN_PROGRESS' | 'FAILED' | 'COMPLETED';

/** What a transcription job is asked to do. */
export interface JobRequest {
  readonly name: string;
  /** Undefined when the language is to be identified. */
  readonly languageCode?: string;
  readonly languageOptions: readonly string[];
  readonly mediaUri: string;
  readonly mediaFormat?: MediaFormat;
  readonly mediaSampleRate?: number;
  /** Undefined: the transcript stays with the service, under a link that expires. */
  readonly output?: { readonly bucket: string; readonly key: string };
  /** As sent, to be echoed. */
  readonly settings?: Readonly<Record<string, unknown>>;
  readonly vocabularyName?: string;
  readonly languageModelName?: string;
}

/** A job as it is kept on disk. Times are in seconds since 1970, as on the wire. */
export interface JobRecord extends JobRequest {
  readonly status: JobStatus;
  readonly creationTime: number;
  readonly startTime?: number;
  readonly completionTime?: number;
  readonly failureReason?: string;
  /** What was heard, when the language was to be identified. */
  readonly identifiedLanguage?: string;
}

/** One word as it was heard. Times in seconds from the start of the recording; confidence 0..1. */
export interface HeardWord {
  readonly text: string;
  readonly start: number;
  readonly end: number;
  readonly confidence: number;
}

export interface Recognition {
  readonly words: readonly HeardWord[];
  /** As a reader would like it; the words joined where the decoder writes no punctuation. */
  readonly text: string;
  readonly languageCode: string;
}

/** What is to be recognised. */
export interface Recording {
  readonly media: Buffer;
  readonly format: MediaFormat;
  readonly languageCode?: string;
  readonly languageOptions: readonly string[];
  readonly bias?: Bias;
  /** It is heard again soon, with more after it: quick is better than right. */
  readonly draft?: boolean;
}

/** What the speaker probably talks about: single phrases, or whole texts to learn a language model from. */
export interface Bias {
  /** Changes when the phrases or the texts do. */
  readonly key: string;
  /** The vocabulary and the text that it is made of; when one is deleted, so is what was made from it. */
  readonly sources: readonly string[];
  readonly phrases: readonly string[];
  texts(): Promise<readonly string[]>;
}

/** A failure of a job that its owner can read: it becomes the job's FailureReason. */
export class RecognitionFailure extends Error {
  constructor(reason: string) {
    super(reason);
    this.name = 'RecognitionFailure';
  }
}

export interface Recogniser {
  /** @throws RecognitionFailure with a reason for the job's owner */
  recognise(recording: Recording, signal: AbortSignal): Promise<Recognition>;
}

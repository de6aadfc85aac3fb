import type { JobRecord } from './job.ts';

/** A job as GetTranscriptionJob and StartTranscriptionJob show it. */
export function describeJob(job: JobRecord, transcriptUri: string | undefined): object {
  return {
    ...summarise(job),
    MediaFormat: job.mediaFormat,
    MediaSampleRateHertz: job.mediaSampleRate,
    Media: { MediaFileUri: job.mediaUri },
    ...(transcriptUri === undefined ? {} : { Transcript: { TranscriptFileUri: transcriptUri } }),
    Settings: job.settings,
    LanguageOptions: job.languageOptions.length > 0 ? job.languageOptions : undefined,
  };
}

/** A job as ListTranscriptionJobs shows it. Times are in seconds since 1970. */
export function summarise(job: JobRecord): object {
  return {
    TranscriptionJobName: job.name,
    TranscriptionJobStatus: job.status,
    LanguageCode: job.languageCode ?? job.identifiedLanguage,
    IdentifyLanguage: job.languageCode === undefined ? true : undefined,
    CreationTime: job.creationTime,
    StartTime: job.startTime,
    CompletionTime: job.completionTime,
    FailureReason: job.failureReason,
    OutputLocationType: job.output === undefined ? 'SERVICE_BUCKET' : 'CUSTOMER_BUCKET',
    ModelSettings: job.languageModelName === undefined ? undefined : { LanguageModelName: job.languageModelName },
  };
}

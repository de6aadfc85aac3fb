import { join } from 'node:path';
import type { ServerResponse } from 'node:http';
import { AwsError, type AwsRequest, type AwsService, type AwsServiceOptions } from '../service.ts';
import { describeJob } from '../transcribe/describe-job.ts';
import { findBias, vocabularySource } from '../transcribe/find-bias.ts';
import type { JobRecord } from '../transcribe/job.ts';
import { BiasModels } from '../transcribe/language-model/bias-models.ts';
import { LanguageModels } from '../transcribe/language-models.ts';
import { listJobs } from '../transcribe/list-jobs.ts';
import { createLocalDecoder } from '../transcribe/local-decoder.ts';
import { parseJob } from '../transcribe/parse-job.ts';
import { parseBody, resourceName, type Fields } from '../transcribe/read-fields.ts';
import { RecordStore } from '../transcribe/record-store.ts';
import { Slots } from '../transcribe/slots.ts';
import { createSpeechServer } from '../transcribe/speech-server.ts';
import { streamTranscription, type StreamContext } from '../transcribe/streaming/stream-transcription.ts';
import { TranscriptLinks } from '../transcribe/transcript-link.ts';
import { Vocabularies } from '../transcribe/vocabularies.ts';
import { TranscriptionJobs } from '../transcribe/transcription-jobs.ts';

export interface TranscribeOptions extends AwsServiceOptions {
  /** Base URL of an OpenAI-compatible speech server, with or without `/v1`; without it the local decoder works. */
  readonly speechUrl?: string;
  readonly speechApiKey?: string;
  /** The model's name on that server, default `whisper-1`. */
  readonly speechModel?: string;
  /** How long that server may take for one recording, default 300,000. */
  readonly speechTimeoutMs?: number;
  /** Recordings recognised at once: by default 1 by the local decoder, which uses a whole core, and 8 by a server. */
  readonly concurrency?: number;
  /** Jobs queued or in progress beyond which AWS's LimitExceededException answers, default 250. */
  readonly maxActiveJobs?: number;
  /** New sound after which a stream's speech is heard again, seconds: by default 0.7 by the local decoder and 2 by a server. */
  readonly partialEveryS?: number;
  /** Silence on the line after which a stream is ended, milliseconds, default 15,000. */
  readonly streamIdleMs?: number;
  /** Where to look for ffmpeg and pocketsphinx, like the variable PATH. */
  readonly programPath?: string;
}

const STREAM = 'StartStreamTranscription';
const TARGET = /^Transcribe\.(?<operation>[A-Za-z]+)$/;
const PROGRAM_PATH = '/usr/local/bin:/usr/bin:/bin:/opt/homebrew/bin';

/** Amazon Transcribe's batch jobs and live streams, over a local decoder or a speech server. */
export async function createTranscribe(options: TranscribeOptions): Promise<AwsService> {
  const links = new TranscriptLinks(options.endpoint, options.region);
  const biasModels = new BiasModels(join(options.dataDir, 'bias'));
  const local = options.speechUrl === undefined;
  const recogniser =
    options.speechUrl === undefined
      ? createLocalDecoder({
          path: options.programPath ?? PROGRAM_PATH,
          convertTimeoutMs: 60_000,
          decodeTimeoutMs: 30_000,
          decodeTimeoutMsPerSecond: 5_000,
          memoryMb: 1024,
          biasModels,
        })
      : createSpeechServer({
          url: options.speechUrl,
          model: options.speechModel ?? 'whisper-1',
          timeoutMs: options.speechTimeoutMs ?? 300_000,
          ...(options.speechApiKey === undefined ? {} : { apiKey: options.speechApiKey }),
        });
  const vocabularies = new Vocabularies(
    await RecordStore.open(join(options.dataDir, 'vocabularies')),
    options.readObject,
    (name) => biasModels.forget(vocabularySource(name)),
  );
  const languageModels = new LanguageModels({
    folder: join(options.dataDir, 'language-model-texts'),
    records: await RecordStore.open(join(options.dataDir, 'language-models')),
    readObject: options.readObject,
    listObjects: options.listObjects,
    onTextDeleted: (hash) => biasModels.forget(hash),
  });
  const jobs = new TranscriptionJobs({
    records: await RecordStore.open<JobRecord>(join(options.dataDir, 'jobs')),
    transcripts: await RecordStore.open<object>(join(options.dataDir, 'transcripts')),
    recogniser,
    concurrency: options.concurrency ?? (local ? 1 : 8),
    maxActive: options.maxActiveJobs ?? 250,
    accountId: options.accountId,
    readObject: options.readObject,
    writeObject: options.writeObject,
    biasOf: (request) => findBias(request, vocabularies, languageModels),
    log: options.log,
  });

  const streams: StreamContext = {
    recogniser,
    // Beside the jobs': somebody waits for every word.
    slots: new Slots(local ? 2 : 8),
    partialEveryS: options.partialEveryS ?? (local ? 0.7 : 2),
    idleMs: options.streamIdleMs ?? 15_000,
    biasOf: (request) => findBias(request, vocabularies, languageModels),
    log: options.log,
  };

  const uriOf = (job: JobRecord) => {
    if (job.status !== 'COMPLETED') return undefined;
    return job.output === undefined
      ? links.make(job.name)
      : `${options.endpoint}/${job.output.bucket}/${job.output.key}`;
  };
  const show = (job: JobRecord) => ({ TranscriptionJob: describeJob(job, uriOf(job)) });
  const operations: Readonly<Record<string, (body: Fields) => Promise<object> | object>> = {
    StartTranscriptionJob: async (body) => show(await jobs.start(parseJob(body))),
    GetTranscriptionJob: (body) => show(jobs.get(resourceName(body, 'TranscriptionJobName'))),
    ListTranscriptionJobs: (body) => listJobs(jobs.list(), body),
    DeleteTranscriptionJob: async (body) => {
      await jobs.delete(resourceName(body, 'TranscriptionJobName'));
      return {};
    },
    CreateVocabulary: (body) => vocabularies.create(body),
    UpdateVocabulary: (body) => vocabularies.update(body),
    GetVocabulary: (body) => vocabularies.get(body),
    ListVocabularies: (body) => vocabularies.list(body),
    DeleteVocabulary: (body) => vocabularies.delete(body),
    CreateLanguageModel: (body) => languageModels.create(body),
    DescribeLanguageModel: (body) => languageModels.describe(body),
    ListLanguageModels: (body) => languageModels.list(body),
    DeleteLanguageModel: (body) => languageModels.delete(body),
  };

  return {
    name: 'transcribe',
    errorProtocol: 'aws-json-1.1',
    operationOf(request) {
      if (request.method === 'GET' && links.nameIn(request.path) !== undefined) return 'GetTranscript';
      if (request.method === 'POST' && request.path === '/stream-transcription') return STREAM;
      const target = request.headers['x-amz-target'];
      const operation = typeof target === 'string' ? TARGET.exec(target)?.groups?.['operation'] : undefined;
      return operation !== undefined && Object.hasOwn(operations, operation) ? operation : undefined;
    },
    async handle(operation, request, response) {
      if (operation === STREAM) return streamTranscription(streams, request, response);
      const run = operations[operation];
      sendJson(response, run === undefined ? readTranscript(request) : await run(parseBody(await request.body())));
    },
    close: () => jobs.close(),
  };

  function readTranscript(request: AwsRequest): object {
    const name = links.nameIn(request.path) ?? '';
    if (!links.isValid(name, request.query))
      throw new AwsError(
        'AccessDenied',
        'The link has expired or its signature is wrong. Ask for the job again to get a new one.',
        403,
      );
    const transcript = jobs.transcript(name);
    if (transcript === undefined) throw new AwsError('NoSuchKey', 'The transcript does not exist any more.', 404);
    return transcript;
  }
}

function sendJson(response: ServerResponse, body: object): void {
  response.writeHead(200, { 'content-type': 'application/x-amz-json-1.1' });
  response.end(JSON.stringify(body));
}

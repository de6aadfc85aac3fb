import { AwsError } from '../service.ts';
import {
  RecognitionFailure,
  type Bias,
  type JobRecord,
  type JobRequest,
  type Recogniser,
  type Recognition,
} from './job.ts';
import { detectFormat, parseS3Uri, type ObjectLocation } from './media.ts';
import { badRequest } from './read-fields.ts';
import type { RecordStore } from './record-store.ts';
import { Slots } from './slots.ts';
import { transcriptDocument } from './transcript-document.ts';

export interface JobContext {
  readonly records: RecordStore<JobRecord>;
  /** Transcripts that no bucket was named for. */
  readonly transcripts: RecordStore<object>;
  readonly recogniser: Recogniser;
  /** How many recordings are recognised at once. */
  readonly concurrency: number;
  /** How many jobs may be queued or in progress, as AWS limits them. */
  readonly maxActive: number;
  readonly accountId: string;
  readObject(bucket: string, key: string): Promise<Buffer | undefined>;
  writeObject(bucket: string, key: string, body: Buffer, contentType: string): Promise<void>;
  /** What the named vocabulary and language model hold. */
  biasOf(request: JobRequest): Bias | undefined;
  log(message: string, fields?: Record<string, unknown>): void;
}

const NOT_FOUND = "The requested job couldn't be found. Check the job name and try your request again.";

/** The transcription jobs of this process: QUEUED, then IN_PROGRESS, then COMPLETED or FAILED; those cut off by an end of the process begin again. */
export class TranscriptionJobs {
  readonly #context: JobContext;
  readonly #slots: Slots;
  readonly #stopping = new AbortController();
  readonly #running = new Set<Promise<void>>();

  constructor(context: JobContext) {
    this.#context = context;
    this.#slots = new Slots(context.concurrency);
    for (const [name] of this.#active().toSorted(([, a], [, b]) => a.creationTime - b.creationTime)) this.#run(name);
  }

  /** @throws AwsError ConflictException, LimitExceededException, BadRequestException */
  async start(request: JobRequest): Promise<JobRecord> {
    const { records } = this.#context;
    this.#refuseKnown(request.name);
    if (this.#active().length >= this.#context.maxActive) {
      throw new AwsError(
        'LimitExceededException',
        `You have reached the limit of ${this.#context.maxActive} concurrent transcription jobs. Wait until a job has finished and try your request again.`,
        429,
      );
    }
    this.#context.biasOf(request);
    const media = await this.#readMedia(parseS3Uri(request.mediaUri, 'MediaFileUri'));
    if (media === undefined) {
      throw badRequest(
        "The S3 URI that you provided can't be accessed. Make sure that you have read permission and try your request again.",
      );
    }
    this.#refuseKnown(request.name);
    const record: JobRecord = { ...request, status: 'QUEUED', creationTime: Date.now() / 1000 };
    await records.put(request.name, record);
    this.#run(request.name);
    return records.get(request.name) ?? record;
  }

  /** @throws AwsError BadRequestException for an unknown name, as the real service */
  get(name: string): JobRecord {
    const record = this.#context.records.get(name);
    if (record === undefined) throw badRequest(NOT_FOUND);
    return record;
  }

  /** Newest first. */
  list(): JobRecord[] {
    return this.#context.records
      .entries()
      .map(([, record]) => record)
      .toSorted((a, b) => b.creationTime - a.creationTime);
  }

  async delete(name: string): Promise<void> {
    const record = this.get(name);
    if (record.status === 'QUEUED' || record.status === 'IN_PROGRESS') {
      throw badRequest(
        "The job can't be deleted because it is in a non-terminal state. Wait until the job has finished and try your request again.",
      );
    }
    await this.#context.records.delete(name);
    await this.#context.transcripts.delete(name);
  }

  transcript(name: string): object | undefined {
    return this.#context.transcripts.get(name);
  }

  /** Stops what runs; it begins again when the folder is next opened. */
  async close(): Promise<void> {
    this.#stopping.abort();
    await Promise.all(this.#running);
  }

  #active(): [string, JobRecord][] {
    return this.#context.records
      .entries()
      .filter(([, record]) => record.status === 'QUEUED' || record.status === 'IN_PROGRESS');
  }

  #refuseKnown(name: string): void {
    if (this.#context.records.get(name) === undefined) return;
    throw new AwsError('ConflictException', 'The requested job name already exists. Use a different job name.', 409);
  }

  #run(name: string): void {
    const work = this.#slots
      .run(async () => {
        if (!this.#stopping.signal.aborted) await this.#process(name);
      })
      .catch((error: unknown) => {
        if (this.#stopping.signal.aborted) return;
        this.#context.log('a transcription job was left unfinished', {
          job: name,
          error: error instanceof Error ? error.stack : String(error),
        });
      })
      .finally(() => this.#running.delete(work));
    this.#running.add(work);
  }

  async #process(name: string): Promise<void> {
    const { records, log } = this.#context;
    const queued = records.get(name);
    if (queued === undefined) return;
    const started: JobRecord = { ...queued, status: 'IN_PROGRESS', startTime: Date.now() / 1000 };
    await records.put(name, started);
    let outcome: Partial<JobRecord>;
    try {
      const recognition = await this.#recognise(started);
      await this.#deliver(started, recognition);
      outcome = {
        status: 'COMPLETED',
        ...(started.languageCode === undefined ? { identifiedLanguage: recognition.languageCode } : {}),
      };
    } catch (error) {
      if (this.#stopping.signal.aborted) return;
      if (!(error instanceof RecognitionFailure)) {
        log('a transcription job failed', { job: name, error: error instanceof Error ? error.stack : String(error) });
      }
      outcome = {
        status: 'FAILED',
        failureReason:
          error instanceof RecognitionFailure ? error.message : 'An internal error occurred. Try your request again.',
      };
    }
    await records.put(name, { ...started, ...outcome, completionTime: Date.now() / 1000 });
  }

  async #recognise(job: JobRecord): Promise<Recognition> {
    const media = await this.#readMedia(parseS3Uri(job.mediaUri, 'MediaFileUri'));
    if (media === undefined)
      throw new RecognitionFailure(
        "The S3 URI that you provided can't be accessed. Make sure that you have read permission and try your request again.",
      );
    const format = job.mediaFormat ?? detectFormat(media);
    if (format === undefined) throw new RecognitionFailure('Unsupported media format.');
    const bias = this.#biasOf(job);
    return this.#context.recogniser.recognise(
      {
        media,
        format,
        languageOptions: job.languageOptions,
        ...(job.languageCode === undefined ? {} : { languageCode: job.languageCode }),
        ...(bias === undefined ? {} : { bias }),
      },
      this.#stopping.signal,
    );
  }

  /** Refused at the start when it is not there; gone since then, it is the job that fails. */
  #biasOf(job: JobRecord): Bias | undefined {
    try {
      return this.#context.biasOf(job);
    } catch (error) {
      throw error instanceof AwsError ? new RecognitionFailure(error.message) : error;
    }
  }

  async #deliver(job: JobRecord, recognition: Recognition): Promise<void> {
    const document = transcriptDocument(job, recognition, this.#context.accountId);
    if (job.output === undefined) return this.#context.transcripts.put(job.name, document);
    const body = Buffer.from(JSON.stringify(document));
    return this.#context.writeObject(job.output.bucket, job.output.key, body, 'application/json');
  }

  #readMedia({ bucket, key }: ObjectLocation): Promise<Buffer | undefined> {
    return this.#context.readObject(bucket, key);
  }
}

import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { isNativeError } from 'node:util/types';
import { AwsError } from '../../service.ts';
import { writeAtomically } from '../store/atomic-write.ts';

export type IngestionJobStatus = 'STARTING' | 'IN_PROGRESS' | 'COMPLETE' | 'FAILED' | 'STOPPING' | 'STOPPED';

export interface IngestionStatistics {
  numberOfDocumentsScanned: number;
  numberOfMetadataDocumentsScanned: number;
  numberOfNewDocumentsIndexed: number;
  numberOfModifiedDocumentsIndexed: number;
  numberOfMetadataDocumentsModified: number;
  numberOfDocumentsDeleted: number;
  numberOfDocumentsFailed: number;
  numberOfDocumentsSkipped: number;
}

export interface IngestionJob {
  readonly ingestionJobId: string;
  readonly description?: string;
  status: IngestionJobStatus;
  readonly statistics: IngestionStatistics;
  failureReasons: string[];
  readonly startedAt: string;
  updatedAt: string;
}

/** Does the work of one job, counting into its statistics; ends early when `stopped()` is true. */
export type SyncDataSource = (statistics: IngestionStatistics, stopped: () => boolean) => Promise<string[]>;

const KEPT_JOBS = 100;

/** The data source's ingestion jobs: one at a time, the last hundred remembered on disk. */
export class IngestionJobs {
  readonly #path: string;
  readonly #sync: SyncDataSource;
  readonly #jobs: IngestionJob[];
  readonly #tokens = new WeakMap<IngestionJob, string>();
  #running: Promise<void> | undefined;
  #saving: Promise<void> = Promise.resolve();

  private constructor(path: string, jobs: IngestionJob[], sync: SyncDataSource) {
    this.#path = path;
    this.#jobs = jobs;
    this.#sync = sync;
  }

  static async load(path: string, sync: SyncDataSource): Promise<IngestionJobs> {
    const jobs = await readJobs(path);
    for (const job of jobs.filter(isRunning)) {
      job.status = 'FAILED';
      job.failureReasons = ['The service was stopped while the job ran. Start another one.'];
    }
    return new IngestionJobs(path, jobs, sync);
  }

  /** Starts a job, or answers the one that this token started; ConflictException while another is running. */
  async start(description: string | undefined, clientToken: string | undefined): Promise<IngestionJob> {
    const started = this.#jobs.find((job) => clientToken !== undefined && this.#tokens.get(job) === clientToken);
    if (started !== undefined) return started;
    const running = this.#jobs.find(isRunning);
    if (running !== undefined) {
      throw new AwsError(
        'ConflictException',
        `There is an ongoing ingestion job ${running.ingestionJobId} on this data source. Wait until it ends, then try again.`,
        409,
      );
    }
    const now = new Date().toISOString();
    const job: IngestionJob = {
      ingestionJobId: newJobId(),
      ...(description === undefined ? {} : { description }),
      status: 'STARTING',
      statistics: emptyStatistics(),
      failureReasons: [],
      startedAt: now,
      updatedAt: now,
    };
    this.#jobs.push(job);
    if (clientToken !== undefined) this.#tokens.set(job, clientToken);
    this.#jobs.splice(0, Math.max(0, this.#jobs.length - KEPT_JOBS));
    await this.#save();
    this.#running = this.#run(job);
    return job;
  }

  get(id: string): IngestionJob {
    const job = this.#jobs.find((candidate) => candidate.ingestionJobId === id);
    if (job === undefined) throw new AwsError('ResourceNotFoundException', `There is no ingestion job ${id}.`, 404);
    return job;
  }

  /** Newest first. */
  list(): IngestionJob[] {
    return this.#jobs.toReversed();
  }

  async stop(id: string): Promise<IngestionJob> {
    const job = this.get(id);
    if (!isRunning(job)) {
      throw new AwsError('ConflictException', `The ingestion job ${id} is ${job.status} and cannot be stopped.`, 409);
    }
    this.#move(job, 'STOPPING');
    await this.#save();
    return job;
  }

  async close(): Promise<void> {
    for (const job of this.#jobs.filter(isRunning)) this.#move(job, 'STOPPING');
    await this.#running;
  }

  async #run(job: IngestionJob): Promise<void> {
    const stopped = (): boolean => job.status === 'STOPPING';
    try {
      if (!stopped()) this.#move(job, 'IN_PROGRESS');
      job.failureReasons = await this.#sync(job.statistics, stopped);
      this.#move(job, stopped() ? 'STOPPED' : 'COMPLETE');
    } catch (error) {
      job.failureReasons = [error instanceof Error ? error.message : String(error)];
      this.#move(job, 'FAILED');
    }
    await this.#save();
  }

  #move(job: IngestionJob, status: IngestionJobStatus): void {
    job.status = status;
    job.updatedAt = new Date().toISOString();
  }

  /** One write at a time, and each writes the state as it then is. */
  async #save(): Promise<void> {
    const turn = this.#saving.then(() => writeAtomically(this.#path, JSON.stringify(this.#jobs)));
    this.#saving = turn.catch(() => undefined);
    await turn;
  }
}

function isRunning(job: IngestionJob): boolean {
  return job.status === 'STARTING' || job.status === 'IN_PROGRESS' || job.status === 'STOPPING';
}

async function readJobs(path: string): Promise<IngestionJob[]> {
  try {
    return JSON.parse(await readFile(path, 'utf8')) as IngestionJob[];
  } catch (error) {
    if (isNativeError(error) && 'code' in error && error.code === 'ENOENT') return [];
    throw error;
  }
}

function emptyStatistics(): IngestionStatistics {
  return {
    numberOfDocumentsScanned: 0,
    numberOfMetadataDocumentsScanned: 0,
    numberOfNewDocumentsIndexed: 0,
    numberOfModifiedDocumentsIndexed: 0,
    numberOfMetadataDocumentsModified: 0,
    numberOfDocumentsDeleted: 0,
    numberOfDocumentsFailed: 0,
    numberOfDocumentsSkipped: 0,
  };
}

const ID_ALPHABET = 'ABCDEFGHJKLMNPQRSTUVWXYZ23456789';
const ID_LENGTH = 10;

function newJobId(): string {
  return Array.from(randomBytes(ID_LENGTH), (byte) => ID_ALPHABET[byte % ID_ALPHABET.length] ?? 'A').join('');
}

import type { Envelope, JobName, JobStatus, QueueName } from '@manuel/contracts';
import type { QueueContext } from '../context.ts';
import type { ScriptArgument, ScriptReply } from '../scripts/script.ts';
import type { Handler } from '../types.ts';
import type { Moves } from './moves.ts';
import type { RunningJobs } from './running-jobs.ts';

/** Why a run was ended before its handler was done. */
export type AbortCause = 'ended outside' | 'time limit' | 'lock lost' | 'shutdown';

/** Thrown into a run through its signal. */
export class RunAborted extends Error {
  readonly why: AbortCause;
  constructor(why: AbortCause) {
    super(`the run was aborted: ${why}`);
    this.name = 'RunAborted';
    this.why = why;
  }
}

export interface Run {
  readonly userId: string;
  readonly jobId: string;
  /** First start of the job (ms), and tries made, this one included. */
  readonly startedAt: number;
  readonly attempts: number;
  abort(why: AbortCause): void;
}

/** What the parts of a running worker share. */
export interface WorkerContext extends QueueContext {
  readonly queue: QueueName;
  readonly handlers: ReadonlyMap<string, { readonly name: JobName; readonly handle: Handler<JobName> }>;
  /** Runs of this process. */
  readonly running: RunningJobs;
  readonly onAbandoned: (job: { name: JobName; envelope: Envelope; status: JobStatus }) => Promise<void>;
  readonly moves: Pick<Moves, 'verdictOn' | 'finishWithMove'>;
  /** `startScript` and `finishScript` of this queue, for all jobs of one turn of the event loop together. */
  readonly start: (args: readonly ScriptArgument[]) => Promise<ScriptReply>;
  readonly finish: (args: readonly ScriptArgument[]) => Promise<ScriptReply>;
  /** Called whenever a job is taken or given back: the worker makes progress. */
  readonly progressed: () => void;
}

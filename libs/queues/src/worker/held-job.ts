import type { Envelope, JobName } from '@manuel/contracts';
import type { Job } from 'bullmq';
import type { Handler } from '../types.ts';

/** A job that this worker holds the lock of. */
export interface HeldJob {
  readonly job: Job;
  /** BullMQ's lock token. */
  readonly token: string;
  readonly name: JobName;
  readonly handle: Handler<JobName>;
  readonly envelope: Envelope;
}

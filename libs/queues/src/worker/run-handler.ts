import { type Envelope, type JobName, ManuelError, jobs } from '@manuel/contracts';
import { withLogContext } from '@manuel/telemetry';
import type { Job } from 'bullmq';
import type { Handler, HandlerOutcome, JobContext } from '../types.ts';
import type { RunPublisher } from './publisher.ts';
import { attemptsOf } from './row-of.ts';
import { type AbortCause, RunAborted, type WorkerContext } from './worker-context.ts';

export interface HandlerRun {
  readonly outcome: HandlerOutcome<JobName>;
  readonly publisher: RunPublisher;
}

/** The payload as the job's schema has it; a fault of ours or of a newer version, never worth a second try. */
export function parsePayload(name: JobName, payload: unknown): unknown {
  const parsed = jobs[name].payload.safeParse(payload);
  if (parsed.success) return parsed.data;
  throw new ManuelError('validation_failed', 'The job cannot be read by this version of the service.', {
    cause: parsed.error,
    retryable: false,
  });
}

/** Runs the job's handler under its time limit, its signal and its log context. Throws RunAborted when it was ended. */
export async function runHandler(
  context: WorkerContext,
  name: JobName,
  handle: Handler<JobName>,
  envelope: Envelope,
  job: Job,
  startedAt: number,
  publisher: RunPublisher,
): Promise<HandlerOutcome<JobName>> {
  const payload = parsePayload(name, envelope.payload);
  const controller = new AbortController();
  let giveUp: (why: RunAborted) => void = () => undefined;
  const abort = (why: AbortCause): void => {
    if (controller.signal.aborted) return;
    const aborted = new RunAborted(why);
    controller.abort(aborted);
    giveUp(aborted);
  };
  const limitMs = jobs[name].timeLimitMs ?? context.settings.queue.timeout_ms;
  const timer = setTimeout(() => abort('time limit'), limitMs);
  const operation = envelope.operation;
  const attempts = attemptsOf(job);
  const logContext = {
    request_id: envelope.request_id,
    job_id: envelope.id,
    user_id: envelope.user_id,
    operation,
    ...(envelope.traceparent === undefined ? {} : { traceparent: envelope.traceparent }),
  };
  const jobContext = {
    name,
    id: envelope.id,
    userId: envelope.user_id,
    operation,
    payload,
    envelope,
    attempt: attempts,
    lastAttempt: job.attemptsMade + 1 >= (job.opts.attempts ?? 1),
    signal: controller.signal,
    logger: context.logger,
    step: envelope.step ?? {},
    progress: (progress) => publisher.progress(progress),
    token: (text) => publisher.token(text),
    // Safe: name, payload and handler belong together; the payload was parsed by the schema of that name.
  } as JobContext<JobName>;
  const ended = context.running.add({ userId: envelope.user_id, jobId: envelope.id, startedAt, attempts, abort });
  try {
    // Settles with the handler or, as soon as the run is aborted, with the abort: an abort frees the slot at once.
    return await new Promise((resolve, reject) => {
      giveUp = reject;
      withLogContext(logContext, async () => handle(jobContext)).then(resolve, reject);
    });
  } finally {
    clearTimeout(timer);
    ended();
    publisher.close();
  }
}

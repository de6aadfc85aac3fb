import { type JobName, envelopeSchema, jobs } from '@manuel/contracts';
import { type Job, Worker, type WorkerOptions } from 'bullmq';
import { ownBackend } from '../bull/own-backend.ts';
import { connectWorker, disconnect } from '../connections.ts';
import { queueContext } from '../context.ts';
import { finishCommon } from '../finish-job.ts';
import { batching } from '../scripts/batch.ts';
import { finishScript } from '../scripts/finish.ts';
import { run } from '../scripts/script.ts';
import { startScript } from '../scripts/start.ts';
import { promote } from '../promote.ts';
import { recoveryTimes } from '../recovery-times.ts';
import type { Handler, RunWorker } from '../types.ts';
import { retryDelayMs } from './backoff.ts';
import { abortUnlessForgotten } from './abort-unless-forgotten.ts';
import { startHeartbeat } from './heartbeat.ts';
import { watchLiveness } from './liveness.ts';
import { startMaintenance } from './maintenance.ts';
import { createMoves } from './moves.ts';
import { type BullReturn, processJob } from './process-job.ts';
import { recordLostJob } from './record-lost-job.ts';
import { RunningJobs } from './running-jobs.ts';
import { startCommon } from './start-job.ts';
import { trimCompleted } from './trim-completed.ts';
import type { WorkerContext } from './worker-context.ts';

/** Milliseconds that aborted handlers get to give their jobs back at a stop. */
const giveBackMs = 2000;

const daysToS = (days: number): number => days * 86_400;

/** Consumes one queue (see `RunWorkerOptions`). Resolves once the worker fetches jobs, or while Redis is still awaited. */
export const runWorker: RunWorker = async (deps, options) => {
  const { settings, logger } = deps;
  const redis = connectWorker(settings, logger);
  const base = queueContext(deps, redis);
  const concurrency = options.concurrency ?? settings.queue.concurrency;
  const { lockMs, stalledIntervalMs } = recoveryTimes(settings);
  const liveness = watchLiveness(() => context, concurrency, settings.queue.lock_ms);
  const handlers = Object.entries(options.handlers) as [JobName, Handler<JobName>][];
  const moves = createMoves(base, {
    redis,
    queue: options.queue,
    handled: Object.keys(options.handlers),
    promote: (jobId) => {
      promote(base, options.queue, jobId).catch((error: unknown) =>
        logger.warn('a parked job must call itself back', { job_id: jobId, error }),
      );
    },
  });
  const context: WorkerContext = {
    ...base,
    moves,
    queue: options.queue,
    // Safe: the mapped type of the handlers ties each handler to its own name.
    handlers: new Map(handlers.map(([name, handle]) => [name, { name, handle }])),
    running: new RunningJobs(),
    start: batching(run, redis, startScript, base.keys.prefix, () => startCommon(base, options.queue)),
    finish: batching(run, redis, finishScript, base.keys.prefix, () => finishCommon(base, options.queue)),
    // Safe: only jobs of this queue reach its worker.
    onAbandoned: (options.onAbandoned ?? (() => Promise.resolve())) as WorkerContext['onAbandoned'],
    progressed: () => liveness.progressed(),
  };

  const process = (job: Job, token?: string): Promise<BullReturn> => processJob(context, job, token ?? '');
  const bullOptions: WorkerOptions = {
    connection: redis,
    prefix: settings.redis.prefix,
    concurrency,
    lockDuration: lockMs,
    stalledInterval: stalledIntervalMs,
    maxStalledCount: settings.queue.max_retries,
    // Completed ones are trimmed below. Failed ones the error-processor takes off; the age only bounds what piles up while there is none.
    removeOnFail: { age: daysToS(settings.errors.retention_days) },
    runRetryDelay: 1000,
    // No skipVersionCheck: without knowing Redis's version BullMQ waits for delayed jobs in whole seconds.
    settings: {
      backoffStrategy: (attempt, _type, error, job) => {
        const definition = Object.values(jobs).find(({ name }) => name === job?.name);
        return retryDelayMs(settings.retry[definition?.retry ?? 'bedrock'], attempt, error);
      },
    },
  };
  const backend = ownBackend({ redis, prefix: settings.redis.prefix, own: moves.own, waiting: moves.waiting });
  class TakingWorker extends Worker<unknown, BullReturn> {
    protected override moveToActive(token: string, name?: string): ReturnType<Worker['moveToActive']> {
      return super.moveToActive(moves.tokenOfTaken() ?? token, name);
    }
  }
  const worker = new TakingWorker(options.queue, process, bullOptions, backend);
  worker.on('error', (error) => logger.warn('worker trouble', { queue: options.queue, error }));
  worker.on('lockRenewalFailed', (ids: string[]) => {
    abortUnlessForgotten(context, ids).catch((error: unknown) =>
      logger.warn('locks could not be looked at', { error }),
    );
  });
  worker.on('failed', (job, error) => {
    // Lost with its workers too often: BullMQ fails it without a run. The sweeper finds what this misses.
    const envelope = envelopeSchema.safeParse(job?.data);
    if (!job?.deferredFailure || !envelope.success) return;
    recordLostJob(context, job, envelope.data).catch((problem: unknown) => {
      logger.warn('a lost job is left to the sweeper', { job_id: job.id, error: problem, reason: error.message });
    });
  });
  const trim = trimCompleted(context);
  worker.on('completed', () => trim.completed());
  const stopHeartbeat = startHeartbeat(context);
  const stopMaintenance = startMaintenance(context, [() => trim.now()]);

  let closing: Promise<void> | undefined;
  async function stop(deadlineMs: number): Promise<void> {
    const drained = worker.close();
    const within = (ms: number): Promise<'late' | 'done'> => {
      let timer: NodeJS.Timeout | undefined;
      const late = new Promise<'late'>((resolve) => (timer = setTimeout(() => resolve('late'), ms)));
      return Promise.race([drained.then(() => 'done' as const), late]).finally(() => clearTimeout(timer));
    };
    if ((await within(deadlineMs)) === 'late') {
      logger.warn('giving running jobs back', { queue: options.queue, running: context.running.count });
      for (const run of context.running.all()) run.abort('shutdown');
      await within(giveBackMs);
    }
    stopHeartbeat();
    stopMaintenance();
    await disconnect(redis);
  }

  return {
    live: () => liveness.check(),
    async ready() {
      if (redis.status !== 'ready') throw new Error(`Redis is ${redis.status}`);
      await redis.ping();
    },
    wake: (jobId) => promote(context, options.queue, jobId),
    close(deadlineMs = settings.http.shutdown_ms - giveBackMs - 1000) {
      closing ??= stop(Math.max(0, deadlineMs));
      return closing;
    },
  };
};

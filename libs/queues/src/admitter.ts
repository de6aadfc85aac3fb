import { admitJob } from './admit-job.ts';
import { cancelJob } from './cancel-job.ts';
import { checkAdmission } from './check-admission.ts';
import { connectProducer, disconnect, orUnavailable, readyOrLate } from './connections.ts';
import { queueContext } from './context.ts';
import { enqueueInternal } from './enqueue-internal.ts';
import { keepAnswer } from './keep-answer.ts';
import { readUsage, writeLimits } from './quota.ts';
import { replayJob } from './replay-job.ts';
import type { Admitter, QueueDependencies } from './types.ts';
import { keepView, viewJob } from './view-job.ts';

/** The producer's side (see `Admitter`). Does not wait for Redis: while it is away every call throws `unavailable` at once. */
export async function createAdmitter(deps: QueueDependencies): Promise<Admitter> {
  const redis = connectProducer(deps.settings, deps.logger);
  const context = queueContext(deps, redis);
  await readyOrLate(redis);
  return {
    admit: (request) => orUnavailable(() => admitJob(context, request)),
    check: (request) => orUnavailable(() => checkAdmission(context, request)),
    replay: (userId, operation, idempotency) => orUnavailable(() => replayJob(context, userId, operation, idempotency)),
    keepAnswer: (request, result) => orUnavailable(() => keepAnswer(context, request, result)),
    view: (userId, jobId) => orUnavailable(() => viewJob(context, userId, jobId)),
    keep: (userId, view) => orUnavailable(() => keepView(context, userId, view)),
    cancel: (userId, jobId) => orUnavailable(() => cancelJob(context, userId, jobId)),
    usage: (userId) => orUnavailable(() => readUsage(context, userId)),
    setLimits: (userId, limits) => orUnavailable(() => writeLimits(context, userId, limits)),
    enqueueInternal: (request) => orUnavailable(() => enqueueInternal(context, request)),
    ping: () =>
      orUnavailable(async () => {
        await redis.ping();
      }),
    async close() {
      await disconnect(redis);
    },
  };
}

import { runWorker } from '@manuel/queues';
import { type RunningService, startHealthServer } from '@manuel/telemetry';
import type { TranscribeWorker } from '../context.ts';
import { watchCompletions } from './watch-completions.ts';
import { createAbandon, createHandlers } from './handlers.ts';

/** Consumes the queue `transcribe` until it is closed; health and metrics on a port of their own. */
export async function consume(context: TranscribeWorker): Promise<RunningService & { readonly healthPort: number }> {
  const { settings, logger, metrics } = context;
  const worker = await runWorker(context, {
    queue: 'transcribe',
    handlers: createHandlers(context),
    onAbandoned: createAbandon(context),
  });
  const queueUrl = settings.transcribe.completion_queue_url;
  const stopWatching = queueUrl === '' ? undefined : watchCompletions(context, queueUrl, (jobId) => worker.wake(jobId));
  const health = await startHealthServer({
    port: settings.http.health_port,
    host: settings.http.health_host,
    metrics,
    live: () => worker.live(),
    ready: async () => {
      await worker.ready();
      await context.ready();
    },
  });
  logger.info('ready', { queue: 'transcribe', health_port: health.port });
  return {
    healthPort: health.port,
    async close() {
      await stopWatching?.();
      await worker.close();
      await health.close();
      await context.close();
    },
  };
}

import { runWorker } from '@manuel/queues';
import { loadProcessSettings } from '@manuel/settings';
import { runService, startHealthServer } from '@manuel/telemetry';
import { createContext } from './context.ts';
import { abandonedBy, handlersOf } from './entry/jobs.ts';
import { startNightly } from './entry/nightly.ts';

await runService(async () => {
  const settings = loadProcessSettings();
  const context = await createContext(settings);
  const { logger, metrics, ledger } = context;
  const worker = await runWorker(
    { settings, ledger, logger, metrics },
    { queue: 'ingest', handlers: handlersOf(context), onAbandoned: abandonedBy(context) },
  );
  const nightly = startNightly(context);
  const health = await startHealthServer({
    port: settings.http.health_port,
    host: settings.http.health_host,
    metrics,
    live: () => worker.live(),
    async ready() {
      await Promise.all([worker.ready(), context.ready()]);
    },
  });
  logger.info('ready', { health_port: health.port });
  return {
    logger,
    shutdownMs: settings.http.shutdown_ms,
    service: {
      async close() {
        nightly.stop();
        await worker.close(settings.http.shutdown_ms - 2000);
        await health.close();
        await context.close();
      },
    },
  };
});

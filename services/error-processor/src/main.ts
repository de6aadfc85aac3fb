import { loadProcessSettings } from '@manuel/settings';
import { runService, startHealthServer } from '@manuel/telemetry';
import { createContext } from './context.ts';
import { startRounds } from './entry/rounds.ts';

await runService(async () => {
  const settings = loadProcessSettings();
  const context = await createContext(settings);
  const { logger, metrics } = context;
  const rounds = startRounds(context);
  const health = await startHealthServer({
    port: settings.http.health_port,
    host: settings.http.health_host,
    metrics,
    live: () => rounds.live(),
    ready: () => context.ready(),
  });
  logger.info('ready', { health_port: health.port });
  return {
    logger,
    shutdownMs: settings.http.shutdown_ms,
    service: {
      async close() {
        await rounds.close();
        await health.close();
        await context.close();
      },
    },
  };
});

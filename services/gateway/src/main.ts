import { loadProcessSettings } from '@manuel/settings';
import { runService } from '@manuel/telemetry';
import { createContext } from './context.ts';
import { startServer } from './entry/server.ts';

await runService(async () => {
  const settings = loadProcessSettings();
  const gateway = await createContext(settings);
  const server = await startServer(gateway);
  gateway.logger.info('ready', { url: server.url });
  return {
    logger: gateway.logger,
    shutdownMs: settings.http.shutdown_ms,
    service: {
      async close() {
        await server.close();
        await gateway.close();
      },
    },
  };
});

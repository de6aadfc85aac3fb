import './small-heap.ts';
import { loadProcessSettings } from '@manuel/settings';
import { runService } from '@manuel/telemetry';
import { createContext } from './context.ts';
import { consume } from './entry/consume.ts';

await runService(async () => {
  const settings = loadProcessSettings();
  const context = await createContext(settings);
  return { service: await consume(context), logger: context.logger, shutdownMs: settings.http.shutdown_ms };
});

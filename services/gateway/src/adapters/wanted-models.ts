import type { Redis } from 'ioredis';
import { type WantedSpeechModel, wantedEntry, wantedSpeechModels } from '@manuel/contracts';
import type { Settings } from '@manuel/settings';
import type { Logger } from '@manuel/telemetry';

/** Where no worker makes them, wishes are forgotten. */
const keptS = 600;

/** Tells the transcribe worker which language models live speakers lacked. */
export function createWantedModels(
  redis: Redis,
  settings: Pick<Settings, 'redis'>,
  logger: Logger,
): (wanted: WantedSpeechModel) => void {
  const key = wantedSpeechModels(settings.redis.prefix);
  return (wanted) => {
    redis
      .multi()
      .sadd(key, wantedEntry(wanted))
      .expire(key, keptS)
      .exec()
      .catch((error: unknown) => logger.debug('a wanted language model was not told', { error }));
  };
}

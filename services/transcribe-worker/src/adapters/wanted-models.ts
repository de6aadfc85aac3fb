import { readWantedEntry, wantedSpeechModels } from '@manuel/contracts';
import type { Settings } from '@manuel/settings';
import type { Redis } from 'ioredis';
import type { Outside } from '../domain/outside.ts';

/** What the gateways tell (`wantedSpeechModels`). */
export function createWantedModels(redis: Redis, settings: Pick<Settings, 'redis'>): Outside['wantedModels'] {
  const key = wantedSpeechModels(settings.redis.prefix);
  return {
    async take() {
      for (;;) {
        const entry = await redis.spop(key);
        if (entry === null) return undefined;
        const wanted = readWantedEntry(entry);
        if (wanted) return wanted;
      }
    },
  };
}

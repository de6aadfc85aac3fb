import type { Cache } from '@manuel/cache';
import { derivedId, newUlid } from '@manuel/contracts';
import type { Admitter } from '@manuel/queues';
import type { Settings } from '@manuel/settings';
import type { Logger } from '@manuel/telemetry';
import type { Followers } from '../domain/outside.ts';

const warmUpExpiryS = 600;
const deleteExpiryS = 86_400;

/** Withdraws cached answers, and queues warm-ups and deletions as jobs of the system itself. */
export function createFollowers(deps: {
  readonly cache: Pick<Cache, 'bumpVersion' | 'asked'>;
  readonly admitter: Pick<Admitter, 'enqueueInternal'>;
  readonly settings: Pick<Settings, 'cache'>;
  readonly logger: Logger;
}): Followers {
  const { cache, admitter, settings, logger } = deps;
  return {
    manualsChanged: (userId) => cache.bumpVersion(userId),
    async warmUp(userId) {
      if (!settings.cache.enabled) return;
      try {
        for (const { question, persona } of await cache.asked.top(userId, settings.cache.warm_up_questions)) {
          await admitter.enqueueInternal({
            job: 'query',
            operation: 'query',
            userId,
            payload: { question, persona, warm_up: true },
            class: 'low',
            expiresInS: warmUpExpiryS,
            requestId: `warm-up-${newUlid()}`,
          });
        }
      } catch (error) {
        // Only the first asker's time is at stake: the manual is ready all the same.
        logger.warn('warm-ups could not be queued', { error });
      }
    },
    async deleteLater(userId, manualId) {
      await admitter.enqueueInternal({
        job: 'delete-manual',
        operation: 'delete',
        userId,
        payload: { manual_id: manualId },
        class: 'high',
        expiresInS: deleteExpiryS,
        requestId: `replaced-${manualId}`,
        jobId: `delete_${derivedId('replaced', userId, manualId)}`,
      });
    },
  };
}

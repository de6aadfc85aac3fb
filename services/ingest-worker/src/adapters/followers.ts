import type { Cache } from '@manuel/cache';
import { derivedId, newUlid } from '@manuel/contracts';
import type { Admitter } from '@manuel/queues';
import type { Settings } from '@manuel/settings';
import type { Logger } from '@manuel/telemetry';
import type { Followers } from '../domain/outside.ts';

const warmUpExpiryS = 600;
const internalExpiryS = 86_400;

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
        expiresInS: internalExpiryS,
        requestId: `removed-${manualId}`,
        // One a day: asking again is harmless, and a deletion that failed can still be taken up the next night.
        jobId: `delete_${derivedId('removed', userId, manualId, new Date().toISOString().slice(0, 10))}`,
      });
    },
    async ingestLater(userId, { manualId, source, method, filename }) {
      await admitter.enqueueInternal({
        job: 'ingest',
        operation: 'ingest',
        userId,
        payload: {
          manual_id: manualId,
          upload_method: method,
          source,
          ...(filename === undefined ? {} : { filename }),
        },
        class: 'low',
        expiresInS: internalExpiryS,
        requestId: `${method}-${manualId}`,
      });
    },
  };
}

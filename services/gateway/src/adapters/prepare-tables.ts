import { setTimeout as sleep } from 'node:timers/promises';
import type { Ledger } from '@manuel/ledger';
import type { Logger } from '@manuel/telemetry';

const againMs = 1000;

/** Makes missing tables (local runs), trying again until DynamoDB answers; ends early when the gateway stops. */
export async function prepareTables(ledger: Ledger, logger: Logger, stopping: AbortSignal): Promise<void> {
  while (!stopping.aborted) {
    try {
      await ledger.createTables();
      return;
    } catch (error) {
      logger.warn('the ledger’s tables could not be made, trying again', { error });
      await sleep(againMs, undefined, { signal: stopping }).catch(() => undefined);
    }
  }
}

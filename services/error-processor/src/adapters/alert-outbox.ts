import type { Logger } from '@manuel/telemetry';
import type { Alert } from '../domain/outside.ts';

/** Alerts kept for another try; the oldest go first when there are more. */
const most = 100;

export interface AlertOutbox {
  /** Takes an alert; never throws. */
  put(alert: Alert): Promise<void>;
  /** Tries again what could not be sent. */
  flush(): Promise<void>;
}

/**
 * Sends alerts and keeps what could not be sent for the next round: the window of its fingerprint is claimed already, so
 * nobody else would raise it again.
 */
export function createAlertOutbox(send: (alert: Alert) => Promise<void>, logger: Logger): AlertOutbox {
  let unsent: Alert[] = [];

  async function put(alert: Alert): Promise<void> {
    try {
      await send(alert);
    } catch (error) {
      logger.error('an alert could not be sent and is tried again', { subject: alert.subject, error });
      unsent = [...unsent, alert].slice(-most);
    }
  }

  return {
    put,
    async flush() {
      const again = unsent;
      unsent = [];
      for (const alert of again) await put(alert);
    },
  };
}

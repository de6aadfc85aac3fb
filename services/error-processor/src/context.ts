import { createSns } from '@manuel/aws';
import { createLedger, type Ledger } from '@manuel/ledger';
import { createJanitor, type Janitor } from '@manuel/queues';
import { connectRedis, createResilience } from '@manuel/resilience';
import type { Settings } from '@manuel/settings';
import { createLogger, createMetrics, type Logger, type Metrics } from '@manuel/telemetry';
import { type AlertOutbox, createAlertOutbox } from './adapters/alert-outbox.ts';
import type { Outside } from './domain/outside.ts';

const service = 'error-processor';

export interface Context extends Outside, AsyncDisposable {
  readonly settings: Settings;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly ledger: Ledger;
  readonly janitor: Janitor;
  readonly outbox: AlertOutbox;
  /** Throws while DynamoDB or Redis cannot be reached. */
  ready(): Promise<void>;
  close(): Promise<void>;
}

export interface ContextOverrides {
  readonly logger?: Logger;
  readonly metrics?: Metrics;
}

/** Builds what the service needs; `close` ends every connection. */
export async function createContext(settings: Settings, overrides: ContextOverrides = {}): Promise<Context> {
  const logger = overrides.logger ?? createLogger({ service, level: settings.logs.level });
  const metrics = overrides.metrics ?? createMetrics(service);
  const redis = await connectRedis(settings, { name: service, logger });
  const resilience = createResilience({ settings, logger, metrics, redis });
  const ledger = createLedger({ settings, logger, metrics });
  const sns = createSns({ settings, resilience });
  const janitor = await createJanitor({ settings, ledger, logger, metrics });
  const { topic_arn: topic } = settings.alerts;
  const outbox = createAlertOutbox(async ({ subject, message, attributes }) => {
    await sns.publish({ topic, subject, message, attributes });
  }, logger);

  async function close(): Promise<void> {
    await janitor.close();
    await resilience.close();
    await ledger.close();
    sns.close();
    redis.disconnect();
  }

  return {
    settings,
    logger,
    metrics,
    ledger,
    janitor,
    deadLetters: ledger.deadLetters,
    retentionDays: settings.errors.retention_days,
    alertWindowS: settings.errors.alert_window_s,
    outbox,
    async alert(alert) {
      const { subject, attributes } = alert;
      logger.error('alert', { subject, ...attributes });
      metrics.count('alerts_total', 'Alerts raised for failures', { severity: attributes['severity'] ?? 'high' });
      if (topic !== '') await outbox.put(alert);
    },
    async ready() {
      await Promise.all([ledger.ping(), redis.ping()]);
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}

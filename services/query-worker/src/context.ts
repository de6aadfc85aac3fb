import { createBedrockAgentRuntime, createBedrockRuntime } from '@manuel/aws';
import { createCache } from '@manuel/cache';
import { createLedger, type Ledger } from '@manuel/ledger';
import {
  connectRedis,
  createDegradationWindow,
  createResilience,
  type DegradationWindow,
  type Resilience,
} from '@manuel/resilience';
import type { Settings } from '@manuel/settings';
import { createLogger, createMetrics, type Logger, type Metrics } from '@manuel/telemetry';
import { createConversationsBehind } from './adapters/conversations-behind.ts';
import { createManualsOfVersion } from './adapters/manuals-of-version.ts';
import type { Outside } from './domain/outside.ts';

const service = 'query-worker';

export interface Context extends Outside, AsyncDisposable {
  readonly settings: Settings;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly ledger: Ledger;
  readonly resilience: Resilience;
  readonly degradation: DegradationWindow;
  /** Throws while DynamoDB or Redis cannot be reached. */
  ready(): Promise<void>;
  close(): Promise<void>;
}

export interface ContextOverrides {
  readonly logger?: Logger;
  readonly metrics?: Metrics;
}

/** Builds what the worker needs; `close` ends every connection. */
export async function createContext(settings: Settings, overrides: ContextOverrides = {}): Promise<Context> {
  const logger = overrides.logger ?? createLogger({ service, level: settings.logs.level });
  const metrics = overrides.metrics ?? createMetrics(service);
  const redis = await connectRedis(settings, { name: service, logger });
  const resilience = createResilience({ settings, logger, metrics, redis });
  const ledger = createLedger({ settings, logger, metrics });
  const model = createBedrockRuntime({ settings, resilience });
  const search = createBedrockAgentRuntime({ settings, resilience });
  const cache = createCache({ settings, logger, metrics, redis, versions: ledger.manuals });
  const conversations = createConversationsBehind({ ledger: ledger.conversations, settings, logger });
  const degradation = createDegradationWindow({ settings, redis });
  resilience.probe('bedrock', 'ConverseStream', (signal) => model.ping(signal));
  resilience.probe('knowledge-base', 'Retrieve', (signal) => search.ping(signal));

  async function close(): Promise<void> {
    await resilience.close();
    await conversations.idle();
    await cache.close();
    await ledger.close();
    model.close();
    search.close();
    redis.disconnect();
  }

  return {
    settings,
    logger,
    metrics,
    ledger,
    resilience,
    degradation,
    manualsOf: createManualsOfVersion(ledger.manuals),
    conversations,
    search,
    model,
    cache,
    noteDegradation(level) {
      degradation.note(level).catch((error: unknown) => logger.warn('degradation was not counted', { level, error }));
    },
    async ready() {
      await Promise.all([ledger.ping(), redis.ping()]);
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}

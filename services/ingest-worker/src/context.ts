import { createBedrockAgent, createBedrockAgentRuntime, createS3, type DocumentState } from '@manuel/aws';
import { createCache } from '@manuel/cache';
import { createLedger } from '@manuel/ledger';
import { inspectManual, manualLimits } from '@manuel/media';
import { createAdmitter } from '@manuel/queues';
import { connectRedis, createResilience } from '@manuel/resilience';
import type { Settings } from '@manuel/settings';
import { createLogger, createMetrics, type Logger, type Metrics } from '@manuel/telemetry';
import type { FetchPolicy } from './adapters/fetch/fetch-agents.ts';
import { createFetchSource } from './adapters/fetch/fetch-source.ts';
import { createFollowers } from './adapters/followers.ts';
import { IndexBoard } from './adapters/index/index-board.ts';
import { startIndexer } from './adapters/index/indexer.ts';
import { createManualIndex } from './adapters/manual-index.ts';
import { createWorkFolders } from './adapters/work-folders.ts';
import type { Outside } from './domain/outside.ts';

const service = 'ingest-worker';

export interface Context extends Outside, AsyncDisposable {
  readonly metrics: Metrics;
  /** Every document that the knowledge base holds. */
  readonly listDocuments: () => AsyncIterable<DocumentState>;
  /** True once in each of the given periods, for one process of all. */
  claim(name: string, periodS: number): Promise<boolean>;
  /** Throws while DynamoDB, Redis or the bucket cannot be reached. */
  ready(): Promise<void>;
  close(): Promise<void>;
}

export interface ContextOverrides {
  readonly logger?: Logger;
  readonly metrics?: Metrics;
  /** Where users' addresses may lead: only for tests, whose servers are on loopback. Never a setting. */
  readonly fetchPolicy?: Partial<FetchPolicy>;
}

/** Builds what the worker needs and starts its share of the indexing; `close` ends both. */
export async function createContext(settings: Settings, overrides: ContextOverrides = {}): Promise<Context> {
  const logger = overrides.logger ?? createLogger({ service, level: settings.logs.level });
  const metrics = overrides.metrics ?? createMetrics(service);
  const redis = await connectRedis(settings, { name: service, logger });
  const resilience = createResilience({ settings, logger, metrics, redis });
  const ledger = createLedger({ settings, logger, metrics });
  const admitter = await createAdmitter({ settings, ledger, logger, metrics });
  const cache = createCache({ settings, logger, metrics, redis, versions: ledger.manuals });
  const s3 = createS3({ settings, resilience });
  const agent = createBedrockAgent({ settings, resilience });
  const search = createBedrockAgentRuntime({ settings, resilience });
  resilience.probe('knowledge-base', 'Retrieve', (signal) => search.ping(signal));
  const board = new IndexBoard(redis, settings);
  const indexer = startIndexer({ board, agent, settings, logger, metrics });
  const limits = manualLimits(settings);
  const folders = await createWorkFolders();

  async function close(): Promise<void> {
    await indexer.close();
    await admitter.close();
    await resilience.close();
    await cache.close();
    await ledger.close();
    s3.close();
    agent.close();
    search.close();
    redis.disconnect();
  }

  return {
    settings,
    logger,
    metrics,
    ledger,
    s3,
    index: createManualIndex({ board, search, settings, wake: () => indexer.wake() }),
    fetchSource: createFetchSource(settings, overrides.fetchPolicy),
    inspectManual: ({ path, filename, contentType }, signal) =>
      inspectManual({ path }, { filename, contentType, limits, signal }),
    followers: createFollowers({ cache, admitter, settings, logger }),
    withFolder: (work) => folders.withFolder(work),
    listDocuments: () => agent.listDocuments(),
    claim: async (name, periodS) =>
      (await redis.set(`${settings.redis.prefix}:claim:${name}`, '1', 'EX', periodS, 'NX')) === 'OK',
    async ready() {
      await Promise.all([ledger.ping(), redis.ping(), s3.ping(settings.storage.manuals_bucket)]);
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}

import { createLanguageModels, createS3, createSqs, createTranscribe, type S3, type Sqs } from '@manuel/aws';
import { createCache } from '@manuel/cache';
import { createLedger, type Ledger } from '@manuel/ledger';
import { readManual, manualLimits } from '@manuel/media';
import { connectRedis, createResilience } from '@manuel/resilience';
import type { Settings } from '@manuel/settings';
import { createLogger, createMetrics, type Logger, type Metrics } from '@manuel/telemetry';
import { every } from './adapters/every.ts';
import { createLeftovers } from './adapters/leftovers.ts';
import { createLimiter } from './adapters/limiter.ts';
import { createLocks } from './adapters/locks.ts';
import { createWantedModels } from './adapters/wanted-models.ts';
import { createTranscriptCache } from './adapters/transcript-cache.ts';
import { forgetModels } from './domain/bias/forget-models.ts';
import { makeWantedModels } from './domain/bias/make-wanted-models.ts';
import type { Outside } from './domain/outside.ts';

const service = 'transcribe-worker';
/** How often models are looked at whose manuals may have changed, milliseconds. */
const forgetMs = 60_000;
/** How often models are made that live speakers lacked, milliseconds. */
const wantedMs = 1000;

/** Everything the worker is made of. */
export interface TranscribeWorker extends Outside {
  readonly ledger: Ledger;
  readonly sqs: Sqs;
  /** Throws while something that jobs need is missing. */
  ready(): Promise<void>;
  close(): Promise<void>;
}

/** What a test may put in the place of the real thing. */
export interface Overrides {
  readonly logger?: Logger;
  readonly metrics?: Metrics;
  readonly ledger?: Ledger;
  readonly s3?: S3;
}

export async function createContext(settings: Settings, overrides: Overrides = {}): Promise<TranscribeWorker> {
  const logger = overrides.logger ?? createLogger({ service, level: settings.logs.level });
  const metrics = overrides.metrics ?? createMetrics(service);
  const redis = await connectRedis(settings, { name: service, logger });
  const resilience = createResilience({ settings, logger, metrics, redis });
  const ledger = overrides.ledger ?? createLedger({ settings, logger, metrics });
  if (settings.ledger.create_tables) await ledger.createTables();
  const s3 = overrides.s3 ?? createS3({ settings, resilience });
  const transcribe = createTranscribe({ settings, resilience });
  const cache = createCache({ settings, logger, metrics, redis, versions: ledger.manuals });
  const limiter = createLimiter(redis, settings);
  const leftovers = createLeftovers({ redis, settings, s3, transcribe, limiter, logger });
  const sqs = createSqs({ settings, resilience });
  const models = createLanguageModels({ settings, resilience });
  const locks = createLocks(redis, settings);
  const limits = manualLimits(settings);
  const readyModels = new Set<string>();
  const stopForgetting = every(forgetMs, 'deleting language models of changed manuals', logger, async () => {
    if (settings.transcribe.bias === 'off' || redis.status !== 'ready') return;
    // The lock lapses just before the next round: one worker a round.
    if (await locks.take('forget-models', forgetMs * 0.9)) await forgetModels({ models, ledger, readyModels });
  });
  const outside = {
    settings,
    logger,
    metrics,
    ledger,
    s3,
    transcribe,
    sqs,
    limiter,
    leftovers,
    transcripts: createTranscriptCache(cache),
    models,
    readyModels,
    wantedModels: createWantedModels(redis, settings),
    locks,
    async readManual(bytes, announced, signal) {
      const { textByPage } = await readManual(bytes, { ...announced, limits, signal });
      return textByPage.join('\n');
    },
    now: Date.now,
  } satisfies Outside & Pick<TranscribeWorker, 'ledger' | 'sqs'>;
  const stopping = new AbortController();
  const stopMaking = every(wantedMs, 'making the language models of live speakers', logger, async () => {
    if (redis.status === 'ready') await makeWantedModels(outside, stopping.signal);
  });
  return {
    ...outside,
    async ready() {
      await Promise.all([ledger.ping(), s3.ping(settings.storage.audio_bucket)]);
    },
    async close() {
      stopping.abort();
      await leftovers.close();
      await Promise.all([stopForgetting(), stopMaking()]);
      await cache.close();
      await resilience.close();
      await ledger.close();
      transcribe.close();
      models.close();
      sqs.close();
      s3.close();
      redis.disconnect();
    },
  };
}

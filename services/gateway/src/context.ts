import { setTimeout as sleep } from 'node:timers/promises';
import type { Redis } from 'ioredis';
import { type UserPool, createS3, createTranscribeStreaming, createUserPool } from '@manuel/aws';
import { type Cache, createCache } from '@manuel/cache';
import { createLedger } from '@manuel/ledger';
import { inspectAudio, inspectManual, manualLimits } from '@manuel/media';
import { type QueueInspector, createAdmitter, createEventHub, createQueueInspector, toJobView } from '@manuel/queues';
import { type DegradationWindow, type Resilience, createDegradationWindow, createResilience } from '@manuel/resilience';
import type { Settings } from '@manuel/settings';
import { createLogger, createMetrics } from '@manuel/telemetry';
import { createAnswerCache } from './adapters/answer-cache.ts';
import { createCachedTurns } from './adapters/cached-turns.ts';
import { HitCounter } from './adapters/hit-counter.ts';
import { createLivePlaces } from './adapters/live-places.ts';
import { PerformanceWindow } from './adapters/performance-window.ts';
import { type ClaimNonce, createNonces } from './adapters/nonces.ts';
import { prepareTables } from './adapters/prepare-tables.ts';
import { connectRedis } from './adapters/redis.ts';
import { checkRevocation } from './adapters/revocation.ts';
import { type Tickets, createTickets } from './adapters/tickets.ts';
import { type TokenVerifier, createTokenVerifier } from './adapters/token-verifier.ts';
import { createWantedModels } from './adapters/wanted-models.ts';
import type { Outside } from './domain/outside.ts';

/** Everything the gateway is made of. */
export interface Gateway extends Outside {
  readonly tokens: TokenVerifier;
  readonly tickets: Tickets;
  /** Nonces of signed requests, each good once. */
  readonly claimNonce: ClaimNonce;
  /** Hits in the present minute, for rate limits. */
  readonly counter: HitCounter;
  readonly userPool: UserPool;
  readonly cache: Cache;
  readonly resilience: Resilience;
  readonly degradation: DegradationWindow;
  readonly inspector: QueueInspector;
  readonly performance: PerformanceWindow;
  /** Aborted when the gateway stops: whoever waits for something gives up. */
  readonly stopping: AbortSignal;
  /** Everybody who waits gives up now. Call before `close`. */
  stop(): void;
  /** Throws while something that requests need is missing, and says what. */
  ready(): Promise<void>;
  close(): Promise<void>;
}

/** What a test may put in the place of the real thing. */
export type GatewayOverrides = Partial<
  Pick<
    Gateway,
    'logger' | 'metrics' | 'ledger' | 'admitter' | 'hub' | 's3' | 'inspectAudio' | 'inspectManual' | 'tokens'
  >
>;

/** Length of the rate limits' window, milliseconds. */
const rateWindowMs = 60_000;

/**
 * Builds what the gateway needs. Waits for nothing that may be away: without Redis it starts all the same, answers 503, and
 * works when Redis is there.
 */
export async function createContext(settings: Settings, overrides: GatewayOverrides = {}): Promise<Gateway> {
  const logger = overrides.logger ?? createLogger({ service: 'gateway', level: settings.logs.level });
  const metrics = overrides.metrics ?? createMetrics('gateway');
  const stopping = new AbortController();
  const redis = connectRedis(settings, logger);
  const resilience = createResilience({ settings, logger, metrics, redis });
  const ledger = overrides.ledger ?? createLedger({ settings, logger, metrics });
  const s3 = overrides.s3 ?? createS3({ settings, resilience });
  const speech = createTranscribeStreaming({ settings, resilience });
  const livePlaces = createLivePlaces(redis, settings, logger);
  metrics.onScrape(() => metrics.gauge('live_microphones', 'Open live microphones', livePlaces.taken));
  const userPool = createUserPool(settings);
  const tokens =
    overrides.tokens ??
    createTokenVerifier(settings, settings.auth.check_revocation ? checkRevocation(userPool) : undefined);
  const cache = createCache({ settings, logger, metrics, redis, versions: ledger.manuals });
  const turns = createCachedTurns(redis, ledger.conversations, settings);
  const queues = { settings, ledger, logger, metrics };
  const [admitter, inspector] = await Promise.all([
    overrides.admitter ?? createAdmitter(queues),
    createQueueInspector(queues),
  ]);
  const hub = overrides.hub ?? (await createEventHub(queues, (userId, jobId) => admitter.view(userId, jobId)));
  const limits = bodyLimits(settings);
  // Nobody waits for it: until it is done, whoever needs a table gets `unavailable`.
  const tables = settings.ledger.create_tables ? prepareTables(ledger, logger, stopping.signal) : Promise.resolve();

  return {
    settings,
    logger,
    metrics,
    ledger,
    admitter,
    hub,
    s3,
    tokens,
    userPool,
    cache,
    resilience,
    inspector,
    toJobView,
    speech,
    livePlaces,
    wantSpeechModel: createWantedModels(redis, settings, logger),
    performance: new PerformanceWindow(settings.degradation.window_ms),
    degradation: createDegradationWindow({ settings, redis }),
    inspectAudio: overrides.inspectAudio ?? inspectAudio,
    inspectManual: overrides.inspectManual ?? ((bytes, announced) => inspectManual(bytes, { ...announced, limits })),
    ...createAnswerCache(cache, turns, logger),
    tickets: createTickets(redis, settings.redis.prefix, settings.events.ticket_ttl_s),
    claimNonce: createNonces(redis, settings.redis.prefix),
    counter: new HitCounter(redis, `${settings.redis.prefix}:rate:`, rateWindowMs, logger),
    stopping: stopping.signal,
    stop: () => stopping.abort(),
    async ready() {
      await Promise.all([
        named('Redis', admitter.ping()),
        named('the ledger', ledger.ping()),
        named('the user pool’s keys', tokens.ready()),
      ]);
    },
    async close() {
      stopping.abort();
      await tables;
      await hub.close();
      await Promise.all([admitter.close(), inspector.close(), cache.close()]);
      await ledger.close();
      await resilience.close();
      s3.close();
      speech.close();
      userPool.close();
      await disconnect(redis);
    },
  };
}

/** A manual in a body is never larger than the body. */
function bodyLimits(settings: Settings): ReturnType<typeof manualLimits> {
  const limits = manualLimits(settings);
  return { ...limits, maxBytes: Math.min(limits.maxBytes, settings.request.max_size_mb * 1024 * 1024) };
}

async function named(what: string, check: Promise<unknown>): Promise<void> {
  try {
    await check;
  } catch (cause) {
    throw new Error(`${what} cannot be reached`, { cause });
  }
}

/** Longest wait for a connection to say that it is closed; one that is between two tries never does. */
const disconnectMs = 500;

async function disconnect(redis: Redis): Promise<void> {
  if (redis.status === 'end') return;
  const ended = new Promise<void>((resolve) => redis.once('end', resolve));
  redis.disconnect();
  await Promise.race([ended, sleep(disconnectMs, undefined, { ref: false })]);
}

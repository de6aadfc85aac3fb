import type { Metrics } from '@manuel/telemetry';
import { type CacheType, cacheTypes } from './keys.ts';

const cacheOutcomes = ['l1', 'l2', 'miss'] as const;
export type CacheOutcome = (typeof cacheOutcomes)[number];

export interface CacheTypeStats {
  readonly l1_hits: number;
  readonly l2_hits: number;
  readonly misses: number;
  /** 0..1; null before the first look. */
  readonly hit_rate: number | null;
  /** RFC 3339; null before the first look. */
  readonly last_access: string | null;
}

export interface CacheStats extends Pick<CacheTypeStats, 'hit_rate'> {
  /** All processes together, today (UTC). */
  readonly types: Readonly<Record<CacheType, CacheTypeStats>>;
}

interface StatsRedis {
  hgetall(key: string): Promise<Record<string, string>>;
  addCounts(key: string, counts: ReadonlyMap<string, number>, lastAccess: ReadonlyMap<string, number>): Promise<void>;
}

const flushMs = 1000;
const rate = (hits: number, misses: number): number | null => (hits + misses === 0 ? null : hits / (hits + misses));

/** Looks of one type, and when the last one was (milliseconds since 1970; 0: none). */
type Looks = Record<CacheOutcome | 'at', number>;
const noLooks = (): Record<CacheType, Looks> => {
  const none = (): Looks => ({ l1: 0, l2: 0, miss: 0, at: 0 });
  return { answers: none(), retrieval: none(), transcripts: none(), usage: none() };
};

/** Counts looks in this process; once a second they go to the metrics and are added up in Redis. */
export function createStats(deps: { readonly prefix: string; readonly redis: StatsRedis; readonly metrics: Metrics }): {
  note(type: CacheType, outcome: CacheOutcome): void;
  read(): Promise<CacheStats>;
  flush(): Promise<void>;
  close(): void;
} {
  let looks = noLooks();
  let timer: NodeJS.Timeout | undefined;
  const keyOf = (now: number): string => `${deps.prefix}:cache-stats:${new Date(now).toISOString().slice(0, 10)}`;

  async function flush(): Promise<void> {
    clearTimeout(timer);
    timer = undefined;
    const seen = looks;
    looks = noLooks();
    const counts = new Map<string, number>();
    const lastAccess = new Map<string, number>();
    for (const type of cacheTypes) {
      const { at, ...outcomes } = seen[type];
      if (at > 0) lastAccess.set(`${type}:last`, at);
      for (const outcome of cacheOutcomes) {
        const by = outcomes[outcome];
        if (by === 0) continue;
        deps.metrics.count('cache_looks_total', 'Looks into the cache', { type, outcome }, by);
        counts.set(`${type}:${outcome}`, by);
      }
    }
    if (counts.size > 0) await deps.redis.addCounts(keyOf(Date.now()), counts, lastAccess);
  }

  return {
    flush,
    note(type, outcome) {
      const of = looks[type];
      of[outcome] += 1;
      of.at = Date.now();
      timer ??= setTimeout(() => void flush(), flushMs).unref();
    },
    async read() {
      await flush();
      const fields = await deps.redis.hgetall(keyOf(Date.now()));
      const number = (field: string): number => Number(fields[field] ?? 0);
      const types = Object.fromEntries(
        cacheTypes.map((type) => {
          const [l1_hits, l2_hits, misses] = [number(`${type}:l1`), number(`${type}:l2`), number(`${type}:miss`)];
          const last = number(`${type}:last`);
          const last_access = last === 0 ? null : new Date(last).toISOString();
          return [type, { l1_hits, l2_hits, misses, hit_rate: rate(l1_hits + l2_hits, misses), last_access }];
        }),
      ) as Record<CacheType, CacheTypeStats>;
      const sum = (pick: (stats: CacheTypeStats) => number): number =>
        cacheTypes.reduce((total, type) => total + pick(types[type]), 0);
      return {
        types,
        hit_rate: rate(
          sum((s) => s.l1_hits + s.l2_hits),
          sum((s) => s.misses),
        ),
      };
    },
    close: () => clearTimeout(timer),
  };
}

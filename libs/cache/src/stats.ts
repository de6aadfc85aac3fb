import type { Metrics } from '@manuel/telemetry';
import { type CacheType, cacheTypes } from './keys.ts';

export type CacheOutcome = 'l1' | 'l2' | 'miss';

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

/** Counts looks in this process and adds them up in Redis once a second. */
export function createStats(deps: { readonly prefix: string; readonly redis: StatsRedis; readonly metrics: Metrics }): {
  note(type: CacheType, outcome: CacheOutcome): void;
  read(): Promise<CacheStats>;
  flush(): Promise<void>;
  close(): void;
} {
  let counts = new Map<string, number>();
  let lastAccess = new Map<string, number>();
  let timer: NodeJS.Timeout | undefined;
  const keyOf = (now: number): string => `${deps.prefix}:cache-stats:${new Date(now).toISOString().slice(0, 10)}`;

  async function flush(): Promise<void> {
    clearTimeout(timer);
    timer = undefined;
    if (counts.size === 0) return;
    const [now, then] = [counts, lastAccess];
    counts = new Map();
    lastAccess = new Map();
    await deps.redis.addCounts(keyOf(Date.now()), now, then);
  }

  return {
    flush,
    note(type, outcome) {
      deps.metrics.count('cache_looks_total', 'Looks into the cache', { type, outcome });
      counts.set(`${type}:${outcome}`, (counts.get(`${type}:${outcome}`) ?? 0) + 1);
      lastAccess.set(`${type}:last`, Date.now());
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

import type { Redis } from 'ioredis';
import { z } from 'zod';
import { type BreakerRecord, cleanRecord } from './breaker-record.ts';

/** A change of a record; undefined: leave it as it is. */
export type BreakerChange = (record: BreakerRecord) => BreakerRecord | undefined;

/** Where the records of all breakers lie. Every method throws when the store cannot be reached. */
export interface BreakerStore {
  all(): Promise<ReadonlyMap<string, BreakerRecord>>;
  /** Makes the breaker known to whoever lists them. */
  register(name: string): Promise<void>;
  /** Applies a change against everybody else's. The record that stands, and whether the change was made. */
  change(name: string, change: BreakerChange): Promise<{ record: BreakerRecord; changed: boolean }>;
}

const recordSchema = z.object({
  failures: z.number(),
  openedAt: z.number(),
  trials: z.number(),
  trialsUntil: z.number(),
});

function parse(text: string | undefined | null): BreakerRecord {
  if (!text) return cleanRecord;
  const parsed = recordSchema.safeParse(JSON.parse(text));
  return parsed.success ? parsed.data : cleanRecord;
}

/** Compare and set on one field: 1 when it was set, else the value that stands ('' for none). */
const compareAndSet = `
local now = redis.call('HGET', KEYS[1], ARGV[1]) or ''
if now ~= ARGV[2] then return now end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[3])
return 1`;

const maxRaces = 50;

/**
 * Shared by all replicas: one hash, a field a breaker, changed by compare and set, so that the rules are written once, in
 * breaker-record.ts, and not again in Lua.
 */
export function redisBreakerStore(redis: Redis, prefix: string): BreakerStore {
  const key = `${prefix}:breakers`;
  return {
    async all() {
      const fields = await redis.hgetall(key);
      return new Map(Object.entries(fields).map(([name, text]) => [name, parse(text)]));
    },
    async register(name) {
      await redis.hsetnx(key, name, JSON.stringify(cleanRecord));
    },
    async change(name, change) {
      let stands = (await redis.hget(key, name)) ?? '';
      for (let race = 0; race < maxRaces; race += 1) {
        const before = parse(stands);
        const after = change(before);
        if (after === undefined || after === before) return { record: before, changed: false };
        const reply: unknown = await redis.eval(compareAndSet, 1, key, name, stands, JSON.stringify(after));
        if (reply === 1) return { record: after, changed: true };
        stands = String(reply);
      }
      throw new Error(`breaker ${name} changed ${maxRaces} times while it was being changed`);
    },
  };
}

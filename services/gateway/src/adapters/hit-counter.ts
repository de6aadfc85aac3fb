import { hash } from 'node:crypto';
import type { Redis } from 'ioredis';
import type { Logger } from '@manuel/telemetry';

/** Hits in the present window, this one included. */
export interface Hits {
  readonly hits: number;
  /** Milliseconds since 1970: when the window ends. */
  readonly resetAt: number;
}

/** `agreed`: as Redis had it in this window, with our own hits since. */
type MutableHits = { hits: number; resetAt: number; readonly agreed: boolean };
type Waiter = (counted: Hits) => void;
type Pending = { by: number; readonly waiters: Waiter[] };

/** Counts every key once more and starts its window with its first hit. Answers count and milliseconds left, key by key. */
const countScript = `
local answer = {}
for i, key in ipairs(KEYS) do
  local hits = redis.call('INCRBY', key, ARGV[i + 1])
  local left = redis.call('PTTL', key)
  if left < 0 then
    redis.call('PEXPIRE', key, ARGV[1])
    left = tonumber(ARGV[1])
  end
  answer[#answer + 1] = hits
  answer[#answer + 1] = left
end
return answer`;
const countSha = hash('sha1', countScript);

const redisTimeLimitMs = 150;
const restAfterFailureMs = 1000;
/** How long hits that nobody waits for may gather before Redis hears of them. */
const gatherMs = 100;
const keysInMemory = 50_000;

/**
 * Counts hits for rate limits over all gateways, in fixed windows. All hits of one turn of the event loop, all that come while a
 * count is under way, and those of the last moments that nobody waits for share one round trip. When Redis is slow or away it
 * counts on in memory, from what it last knew: a limiter must never be what makes a request hang.
 */
export class HitCounter {
  readonly #redis: Redis;
  readonly #logger: Logger;
  readonly #prefix: string;
  /** Milliseconds. */
  readonly windowMs: number;
  readonly #local = new Map<string, MutableHits>();
  #pending = new Map<string, Pending>();
  #flushing = false;
  /** Whether somebody waits for a hit that is pending. */
  #awaited = false;
  #gathering: NodeJS.Timeout | undefined;
  #restUntil = 0;

  constructor(redis: Redis, prefix: string, windowMs: number, logger: Logger) {
    this.#redis = redis;
    this.#logger = logger;
    this.#prefix = prefix;
    this.windowMs = windowMs;
  }

  /** Counts a hit and waits for the count over all gateways. */
  hit(key: string): Promise<Hits> {
    return new Promise((resolve) => this.#enqueue(key, resolve));
  }

  /**
   * The same, without the wait while this process knows from Redis that the count over all gateways was below `sure` a moment
   * ago. Of what other gateways count meanwhile it learns with its next answer.
   */
  hitSoon(key: string, sure: number): Hits | Promise<Hits> {
    const known = this.#local.get(key);
    return known && known.agreed && known.hits < sure && known.resetAt > Date.now() ? this.hitNow(key) : this.hit(key);
  }

  /** Counts a hit and answers at once with what this process knows; the count over all gateways arrives in the background. */
  hitNow(key: string): Hits {
    const local = this.#count(key, 1);
    this.#enqueue(key);
    return { hits: local.hits, resetAt: local.resetAt };
  }

  /** What this process knows of a key's hits, without counting one. */
  known(key: string): Hits {
    const now = Date.now();
    const known = this.#local.get(key);
    return known && known.resetAt > now
      ? { hits: known.hits, resetAt: known.resetAt }
      : { hits: 0, resetAt: now + this.windowMs };
  }

  #enqueue(key: string, waiter?: Waiter): void {
    const pending = this.#pending.get(key);
    if (pending) pending.by += 1;
    const entry = pending ?? { by: 1, waiters: [] };
    if (!pending) this.#pending.set(key, entry);
    if (waiter) {
      entry.waiters.push(waiter);
      this.#awaited = true;
    }
    if (!this.#flushing) this.#schedule();
  }

  /** At the end of this turn when somebody waits, else a little later. */
  #schedule(): void {
    if (this.#awaited) {
      clearTimeout(this.#gathering);
      this.#gathering = undefined;
      this.#flushing = true;
      setImmediate(() => void this.#flush());
    } else {
      this.#gathering ??= setTimeout(() => {
        this.#gathering = undefined;
        if (!this.#flushing) void this.#flush();
      }, gatherMs).unref();
    }
  }

  async #flush(): Promise<void> {
    this.#flushing = true;
    do {
      const batch = this.#pending;
      this.#pending = new Map();
      this.#awaited = false;
      const counted = await this.#countInRedis(batch);
      let index = 0;
      for (const [key, { waiters }] of batch) {
        const shared = counted?.[index];
        index += 1;
        // hitNow has counted its own in memory already.
        const known = shared ? this.#learn(key, shared) : this.#count(key, waiters.length);
        const before = (shared?.hits ?? known.hits) - waiters.length;
        waiters.forEach((waiter, turn) => waiter({ hits: before + turn + 1, resetAt: known.resetAt }));
      }
    } while (this.#awaited);
    this.#flushing = false;
    if (this.#pending.size > 0) this.#schedule();
  }

  async #countInRedis(batch: ReadonlyMap<string, Pending>): Promise<Hits[] | undefined> {
    const now = Date.now();
    if (now < this.#restUntil) return undefined;
    const keys = [...batch.keys()].map((key) => this.#prefix + key);
    const increments = [...batch.values()].map(({ by }) => by);
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<undefined>((resolve) => {
      timer = setTimeout(() => resolve(undefined), redisTimeLimitMs);
    });
    try {
      const answer: unknown = await Promise.race([this.#run(keys, [this.windowMs, ...increments]), late]);
      if (Array.isArray(answer)) return pairs(answer, now);
      throw new Error(`Redis took longer than ${redisTimeLimitMs} ms`);
    } catch (error) {
      this.#restUntil = Date.now() + restAfterFailureMs;
      this.#logger.debug('rate limits are counted in memory for now', { error });
      return undefined;
    } finally {
      clearTimeout(timer);
    }
  }

  /** By digest; the text goes over once, when Redis does not know it. */
  async #run(keys: readonly string[], args: readonly number[]): Promise<unknown> {
    try {
      return await this.#redis.evalsha(countSha, keys.length, ...keys, ...args);
    } catch (error) {
      if (!(error instanceof Error) || !error.message.startsWith('NOSCRIPT')) throw error;
      return this.#redis.eval(countScript, keys.length, ...keys, ...args);
    }
  }

  #learn(key: string, shared: Hits): MutableHits {
    const pending = this.#pending.get(key);
    // Hits that came by hitNow while the count was under way.
    const since = pending ? pending.by - pending.waiters.length : 0;
    const known = { hits: shared.hits + since, resetAt: shared.resetAt, agreed: true };
    this.#remember(key, known);
    return known;
  }

  #count(key: string, by: number): MutableHits {
    const now = Date.now();
    const known = this.#local.get(key);
    const current = known && known.resetAt > now ? known : { hits: 0, resetAt: now + this.windowMs, agreed: false };
    current.hits += by;
    if (current !== known) this.#remember(key, current);
    return current;
  }

  #remember(key: string, hits: MutableHits): void {
    this.#local.delete(key);
    this.#local.set(key, hits);
    if (this.#local.size <= keysInMemory) return;
    const oldest = this.#local.keys().next();
    if (!oldest.done) this.#local.delete(oldest.value);
  }
}

function pairs(answer: readonly unknown[], now: number): Hits[] {
  const counted: Hits[] = [];
  for (let i = 0; i + 1 < answer.length; i += 2) {
    counted.push({ hits: Number(answer[i]), resetAt: now + Number(answer[i + 1]) });
  }
  return counted;
}

import type { Redis } from 'ioredis';
import { z } from 'zod';
import { type CacheKey, checkedUserId } from './keys.ts';
import type { createQuiet } from './quiet-redis.ts';
import { similarity } from './similarity.ts';

const entrySchema = z.object({ question: z.string(), scope: z.string(), at: z.number() });

/** Which of a user's cached answers answers a similar question. */
export interface SimilarQuestions {
  /** Remembers that `key` holds the answer to the question. `scope`: persona and whatever else must be the same. */
  note(key: CacheKey, question: string, scope: string): Promise<void>;
  /** The likest questions of the same user, manuals version and scope from the threshold on, likest first. */
  find(
    of: Pick<CacheKey, 'userId' | 'version'>,
    question: string,
    scope: string,
    threshold: number,
  ): Promise<{ readonly question: string; readonly key: CacheKey; readonly similarity: number }[]>;
}

const kept = 200;

/** So many more may gather before the oldest are dropped together: it takes reading them all. */
const slack = 50;

export function createSimilarQuestions(deps: {
  readonly redis: Redis;
  readonly prefix: string;
  readonly quiet: ReturnType<typeof createQuiet>;
  readonly ttlS: number;
}): SimilarQuestions {
  const { redis, prefix, quiet, ttlS } = deps;
  /** The version is part of the key: what was answered from manuals that are gone is not found. */
  const keyOf = (of: Pick<CacheKey, 'userId' | 'version'>): string =>
    `${prefix}:similar:${checkedUserId(of.userId)}:${of.version}`;
  return {
    async note(key, question, scope) {
      const name = keyOf(key);
      await quiet(
        'similar',
        async () => {
          const entry = JSON.stringify({ question, scope, at: Date.now() });
          const answers = await redis.pipeline().hset(name, key.digest, entry).expire(name, ttlS).hlen(name).exec();
          const count = Number(answers?.[2]?.[1] ?? 0);
          if (count > kept + slack) await dropOldest(redis, name, count - kept);
        },
        undefined,
      );
    },
    async find(of, question, scope, threshold) {
      const entries = await quiet('similar', () => redis.hgetall(keyOf(of)), {});
      return Object.entries(entries)
        .flatMap(([digest, text]) => {
          const entry = entrySchema.safeParse(JSON.parse(text)).data;
          if (!entry || entry.scope !== scope) return [];
          const key: CacheKey = { type: 'answers', userId: of.userId, version: of.version, digest };
          return [{ question: entry.question, key, similarity: similarity(question, entry.question) }];
        })
        .filter((entry) => entry.similarity >= threshold)
        .sort((a, b) => b.similarity - a.similarity)
        .slice(0, 5);
    },
  };
}

async function dropOldest(redis: Redis, name: string, count: number): Promise<void> {
  const entries = Object.entries(await redis.hgetall(name));
  const ages = entries.map(([digest, text]) => ({ digest, at: entrySchema.safeParse(JSON.parse(text)).data?.at ?? 0 }));
  const oldest = ages.sort((a, b) => a.at - b.at).slice(0, count);
  if (oldest.length > 0) await redis.hdel(name, ...oldest.map((entry) => entry.digest));
}

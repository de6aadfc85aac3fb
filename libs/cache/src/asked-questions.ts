import { personaSchema } from '@manuel/contracts';
import type { Redis } from 'ioredis';
import { z } from 'zod';
import { checkedUserId } from './keys.ts';
import type { createQuiet } from './quiet-redis.ts';

const askedSchema = z.object({ question: z.string().min(1).max(2000), persona: personaSchema });
export type AskedQuestion = z.infer<typeof askedSchema>;

/** What each user asks most, for warm-ups after an ingest. */
export interface AskedQuestions {
  note(userId: string, asked: AskedQuestion): Promise<void>;
  /** Most asked first. */
  top(userId: string, count: number): Promise<AskedQuestion[]>;
}

const kept = 50;
const keptS = 30 * 86_400;

export function createAskedQuestions(deps: {
  readonly redis: Redis;
  readonly prefix: string;
  readonly quiet: ReturnType<typeof createQuiet>;
}): AskedQuestions {
  const { redis, prefix, quiet } = deps;
  const keyOf = (userId: string): string => `${prefix}:asked:${checkedUserId(userId)}`;
  return {
    async note(userId, { question, persona }) {
      const key = keyOf(userId);
      const member = JSON.stringify({ question: question.trim(), persona });
      const work = (): Promise<unknown> =>
        redis
          .pipeline()
          .zincrby(key, 1, member)
          .zremrangebyrank(key, 0, -kept - 1)
          .expire(key, keptS)
          .exec();
      await quiet('asked', work, undefined);
    },
    async top(userId, count) {
      if (count < 1) return [];
      const members = await quiet('asked', () => redis.zrevrange(keyOf(userId), 0, count - 1), []);
      return members.flatMap((member) => askedSchema.safeParse(JSON.parse(member)).data ?? []);
    },
  };
}

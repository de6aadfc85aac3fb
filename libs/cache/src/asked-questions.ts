import { personaSchema } from '@manuel/contracts';
import type { Redis } from 'ioredis';
import { z } from 'zod';
import { checkedUserId } from './keys.ts';
import type { createQuiet } from './quiet-redis.ts';

const askedSchema = z.object({ question: z.string().min(1).max(2000), persona: personaSchema });
export type AskedQuestion = z.infer<typeof askedSchema>;

/** What each user asks most, for warm-ups after an ingest. */
export interface AskedQuestions {
  /** Counts in this process; Redis hears of it within a second. */
  note(userId: string, asked: AskedQuestion): void;
  /** Most asked first. */
  top(userId: string, count: number): Promise<AskedQuestion[]>;
  flush(): Promise<void>;
}

const kept = 50;
const keptS = 30 * 86_400;
const flushMs = 1000;

/** `<persona>, line end, <question>` as it lies in Redis. */
function memberOf(asked: string): string {
  const end = asked.indexOf('\n');
  return JSON.stringify({ question: asked.slice(end + 1), persona: asked.slice(0, end) });
}

export function createAskedQuestions(deps: {
  readonly redis: Redis;
  readonly prefix: string;
  readonly quiet: ReturnType<typeof createQuiet>;
}): AskedQuestions {
  const { redis, prefix, quiet } = deps;
  const keyOf = (userId: string): string => `${prefix}:asked:${checkedUserId(userId)}`;
  /** By key, then by persona and question. */
  let counts = new Map<string, Map<string, number>>();
  let timer: NodeJS.Timeout | undefined;

  async function flush(): Promise<void> {
    clearTimeout(timer);
    timer = undefined;
    if (counts.size === 0) return;
    const now = counts;
    counts = new Map();
    const pipeline = redis.pipeline();
    for (const [key, members] of now) {
      for (const [asked, by] of members) pipeline.zincrby(key, by, memberOf(asked));
      pipeline.zremrangebyrank(key, 0, -kept - 1).expire(key, keptS);
    }
    await quiet('asked', () => pipeline.exec(), null);
  }

  return {
    flush,
    note(userId, { question, persona }) {
      const key = keyOf(userId);
      const asked = `${persona}\n${question.trim()}`;
      const members = counts.get(key);
      if (members) members.set(asked, (members.get(asked) ?? 0) + 1);
      else counts.set(key, new Map([[asked, 1]]));
      timer ??= setTimeout(() => void flush(), flushMs).unref();
    },
    async top(userId, count) {
      if (count < 1) return [];
      await flush();
      const members = await quiet('asked', () => redis.zrevrange(keyOf(userId), 0, count - 1), []);
      return members.flatMap((member) => askedSchema.safeParse(JSON.parse(member)).data ?? []);
    },
  };
}

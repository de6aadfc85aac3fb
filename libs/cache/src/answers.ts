import { citationSchema, passageSchema, type Persona } from '@manuel/contracts';
import { z } from 'zod';
import { decode } from './codec.ts';
import { type CacheKey, digestOf, normaliseQuestion, userPrefix, versionKey } from './keys.ts';

/** All that an answer depends on, besides the user's manuals. A question within a conversation is not cacheable. */
export interface AnswerKeyInput {
  readonly userId: string;
  readonly question: string;
  readonly manualIds?: readonly string[];
  readonly persona: Persona;
  readonly model: string;
  readonly maxResults?: number;
}

function answerDigest(input: AnswerKeyInput): string {
  const manuals = input.manualIds ? [...new Set(input.manualIds)].sort().join(',') : null;
  return digestOf([
    'query',
    normaliseQuestion(input.question),
    input.persona,
    input.model,
    manuals,
    input.maxResults ?? null,
  ]);
}

/** The key under a version of the user's manuals (`cache.version`). */
export const answerKey = (input: AnswerKeyInput, version: string): CacheKey => ({
  type: 'answers',
  userId: input.userId,
  version,
  digest: answerDigest(input),
});

/** The same key in parts, for a lookup that reads the version itself: `prefix` + value of `versionKey` + `suffix`. */
export function answerCacheKey(
  redisPrefix: string,
  input: AnswerKeyInput,
): { readonly versionKey: string; readonly prefix: string; readonly suffix: string } {
  return {
    versionKey: versionKey(redisPrefix, input.userId),
    prefix: userPrefix(redisPrefix, 'answers', input.userId),
    suffix: `:${answerDigest(input)}`,
  };
}

/** An answer as it is cached: only full ones (`degradation: none`), without what belongs to one job. */
export const cachedAnswerSchema = z.object({
  question: z.string(),
  answer: z.string(),
  citations: z.array(citationSchema),
  context_used: z.boolean(),
  model: z.string(),
  passages: z.array(passageSchema),
});
export type CachedAnswer = z.infer<typeof cachedAnswerSchema>;

export const encodeAnswer = (answer: CachedAnswer): Buffer => Buffer.from(JSON.stringify(answer));

/** Of what `cache.get` returns; undefined for what another version has written, or what is damaged. */
export function parseAnswer(value: Uint8Array): CachedAnswer | undefined {
  let read: unknown;
  try {
    read = JSON.parse(Buffer.from(value).toString('utf8'));
  } catch {
    return undefined;
  }
  return cachedAnswerSchema.safeParse(read).data;
}

/** Of the raw value as it lies in Redis (the gateway's admission reads it there). */
export async function decodeStoredAnswer(stored: Uint8Array): Promise<CachedAnswer | undefined> {
  const value = await decode(stored);
  return value && parseAnswer(value);
}

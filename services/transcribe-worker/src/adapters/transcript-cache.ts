import { type Cache, type CacheKey, digestOf } from '@manuel/cache';
import { z } from 'zod';
import type { TranscriptCache } from '../domain/outside.ts';

const heardSchema = z.object({
  text: z.string(),
  confidence: z.number().nullable(),
  duration_s: z.number(),
  language_code: z.string(),
});

/** A transcript depends on the bytes and on the languages that were looked for, not on the manuals. */
const keyOf = (userId: string, sha256: string, languages: readonly string[]): CacheKey => ({
  type: 'transcripts',
  userId,
  version: '-',
  digest: digestOf([sha256, ...languages]),
});

export function createTranscriptCache(cache: Cache): TranscriptCache {
  return {
    async get(userId, sha256, languages) {
      const stored = await cache.get(keyOf(userId, sha256, languages));
      if (stored === undefined) return undefined;
      const parsed = heardSchema.safeParse(JSON.parse(stored.toString('utf8')));
      // Of another version of this service: as good as none.
      return parsed.success ? parsed.data : undefined;
    },
    set: (userId, sha256, languages, heard) =>
      cache.set(keyOf(userId, sha256, languages), Buffer.from(JSON.stringify(heard))),
  };
}

import { type RetrievedPassage } from '@manuel/aws';
import { digestOf, normaliseQuestion } from '@manuel/cache';
import type { ManualRow } from '@manuel/ledger';
import { z } from 'zod';
import { choosePassages } from './choose-passages.ts';
import type { Outside, Run } from './outside.ts';
import type { Question } from './question.ts';

const storedSchema = z.array(
  z.object({
    manual_id: z.string(),
    filename: z.string(),
    page: z.number().nullable(),
    text: z.string(),
    score: z.number(),
  }),
);

/** Asked for more than is used, so that the manuals beyond the first few passages have their chance. */
const overfetch = 2;
const bedrockLimit = 100;

/**
 * The passages to answer from, best first. Only the asking user's manuals are searched, only those asked for, and none that
 * is being deleted, whatever the index still holds. `version`: of the user's manuals; undefined: nothing is cached.
 */
export async function findPassages(
  outside: Outside,
  run: Run,
  input: {
    readonly question: Question;
    /** As it is searched: a follow-up made to stand alone. */
    readonly text: string;
    readonly manuals: readonly ManualRow[];
    readonly version: string | undefined;
    readonly limitMs: number;
  },
): Promise<RetrievedPassage[]> {
  const { question, text, manuals, version } = input;
  const { knowledge_base: settings } = outside.settings;
  const count = question.maxResults ?? settings.max_results;
  const deleting = manuals.filter((manual) => manual.status === 'deleting').map((manual) => manual.manual_id);
  const gone = new Set(deleting);
  const asked = question.manualIds?.filter((id) => !gone.has(id));
  const limit = Math.min(count * overfetch, bedrockLimit);

  const key =
    version === undefined
      ? undefined
      : {
          type: 'retrieval' as const,
          userId: question.userId,
          version,
          digest: digestOf(['retrieve', normaliseQuestion(text), limit, asked ? asked.toSorted().join(',') : null]),
        };
  const stored = key && (await outside.cache.get(key));
  const known = stored && storedSchema.safeParse(JSON.parse(stored.toString('utf8'))).data;
  const found =
    known ??
    (await outside.search.retrieve(
      {
        ownerId: question.userId,
        text,
        limit,
        ...(asked ? { manualIds: asked } : {}),
        ...(asked ? {} : { exceptManualIds: deleting }),
      },
      { signal: run.signal, deadlineMs: input.limitMs },
    ));
  // It never fails, and nobody waits for it.
  if (key && !known) void outside.cache.set(key, Buffer.from(JSON.stringify(found)));
  return choosePassages(
    found.filter((passage) => !gone.has(passage.manual_id)),
    { count, perManual: settings.max_passages_per_manual, minScore: settings.min_score },
  );
}

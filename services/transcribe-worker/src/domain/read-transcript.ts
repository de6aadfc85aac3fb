import { ManuelError } from '@manuel/contracts';
import { z } from 'zod';

/** Transcribe's output file, as far as we read it: numbers come as text. */
const number = z.coerce.number();
const transcriptSchema = z.object({
  results: z.object({
    language_code: z.string().exactOptional(),
    transcripts: z.array(z.object({ transcript: z.string() })).min(1),
    items: z
      .array(
        z.object({
          type: z.string(),
          start_time: number.exactOptional(),
          end_time: number.exactOptional(),
          alternatives: z.array(z.object({ content: z.string(), confidence: number.nullish() })),
        }),
      )
      .default([]),
  }),
});

export interface Word {
  readonly text: string;
  /** Seconds from the start of the recording. */
  readonly start_s: number;
  readonly end_s: number;
  readonly confidence: number | null;
}

export interface Transcript {
  readonly text: string;
  readonly words: readonly Word[];
  /** Mean of the words' confidences, 0..1; null when there is none. */
  readonly confidence: number | null;
  readonly languageCode?: string;
}

/** Reads Transcribe's output file. Throws `upstream_failed` when it is none. */
export function readTranscript(bytes: Buffer): Transcript {
  const parsed = transcriptSchema.safeParse(toJson(bytes));
  if (!parsed.success) {
    throw new ManuelError('upstream_failed', 'The transcript could not be read. Try again.', { cause: parsed.error });
  }
  const { transcripts, items, language_code } = parsed.data.results;
  const words = items.flatMap((item): Word[] => {
    const [best] = item.alternatives;
    if (item.type !== 'pronunciation' || best === undefined) return [];
    const confidence = best.confidence ?? null;
    return [{ text: best.content, start_s: item.start_time ?? 0, end_s: item.end_time ?? 0, confidence }];
  });
  const known = words.flatMap(({ confidence }) => (confidence === null ? [] : [confidence]));
  const mean = known.reduce((sum, one) => sum + one, 0) / known.length;
  return {
    text: (transcripts[0]?.transcript ?? '').trim(),
    words,
    confidence: known.length === 0 ? null : Math.round(Math.min(1, Math.max(0, mean)) * 10_000) / 10_000,
    ...(language_code === undefined ? {} : { languageCode: language_code }),
  };
}

function toJson(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString('utf8'));
  } catch (cause) {
    throw new ManuelError('upstream_failed', 'The transcript could not be read. Try again.', { cause });
  }
}

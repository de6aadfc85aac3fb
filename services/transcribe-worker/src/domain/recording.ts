import { audioTypes, jobIdSchema, type JobPayload, ManuelError } from '@manuel/contracts';
import type { Settings } from '@manuel/settings';
import { z } from 'zod';

/** A job's recording on its way to text. */
export interface Recording {
  readonly jobId: string;
  readonly userId: string;
  readonly source: JobPayload<'transcribe'>;
  readonly memory: RecordingMemory;
  readonly signal: AbortSignal;
  /** Tells the owner how far it is. */
  progress(step: RecordingStep): Promise<void>;
  /** Tells the owner what was heard. */
  heard(text: string): Promise<void>;
}

export type RecordingStep = 'checking' | 'transcribing' | 'fetching';

/** What a step job remembers between its steps. Each field is there from the step on that found it out. */
const memorySchema = z.object({
  facts: z
    .object({
      format: z.enum(Object.values(audioTypes) as [(typeof audioTypes)[keyof typeof audioTypes]]),
      duration_s: z.number(),
      sha256: z.string(),
    })
    .exactOptional(),
  /** The model it is heard with; null: none. */
  model: z.string().nullable().exactOptional(),
  /** Waits for a model that another worker makes. */
  waits: z.number().int().exactOptional(),
  /** Transcribe has the job. */
  started: z.boolean().exactOptional(),
  /** Looks so far. */
  looks: z.number().int().exactOptional(),
  /** Milliseconds since 1970: when the next call's place is. */
  due: z.number().exactOptional(),
  heard: z
    .object({
      text: z.string(),
      confidence: z.number().nullable(),
      duration_s: z.number(),
      language_code: z.string(),
      from_cache: z.boolean(),
    })
    .exactOptional(),
});
export type RecordingMemory = z.infer<typeof memorySchema>;

/** Memory that another version wrote otherwise is forgotten: every step finds its own work again. */
export function toMemory(step: Readonly<Record<string, unknown>>): RecordingMemory {
  const parsed = memorySchema.safeParse(step);
  return parsed.success ? parsed.data : {};
}

type Owned = Pick<Recording, 'jobId' | 'userId' | 'source'>;

const nameMark = 'manuel-';
/** The Transcribe job's name follows from ours, so that a repeated step finds what it started. */
export const transcriptionName = ({ jobId }: Pick<Owned, 'jobId'>): string => `${nameMark}${jobId}`;
/** Our job that a Transcribe job belongs to; undefined when it is not ours. */
export const jobOfTranscription = (name: string): string | undefined =>
  name.startsWith(nameMark) && jobIdSchema.safeParse(name.slice(nameMark.length)).success
    ? name.slice(nameMark.length)
    : undefined;

/** Where Transcribe writes, under the owner's prefix. */
export const transcriptKey = ({ storage }: Pick<Settings, 'storage'>, { jobId, userId }: Owned): string =>
  `${storage.audio_prefix}/${userId}/transcripts/${jobId}.json`;

/** Whether the recording is under its owner's own prefix. */
export function isOwnAudio({ storage }: Pick<Settings, 'storage'>, { userId, source }: Owned): boolean {
  const parts = source.audio_key.split('/');
  return (
    source.audio_key.startsWith(`${storage.audio_prefix}/${userId}/`) && !parts.includes('..') && !parts.includes('.')
  );
}

/** The recording's key. Throws `upload_missing` when it is another's, as for one that is not there. */
export function ownAudioKey(settings: Pick<Settings, 'storage'>, owned: Owned): string {
  if (isOwnAudio(settings, owned)) return owned.source.audio_key;
  throw new ManuelError('upload_missing', 'There is no such recording. Upload it first, then ask again.');
}

export const languagesOf = (
  { transcribe }: Pick<Settings, 'transcribe'>,
  { source }: { readonly source: Pick<Owned['source'], 'language_code'> },
) => (source.language_code === undefined ? transcribe.languages : [source.language_code]);

import type { Outside } from './outside.ts';
import { isOwnAudio, type Recording, transcriptionName, transcriptKey } from './recording.ts';

/**
 * Removes what the job left with others: the recording, the transcript, Transcribe's own job. What Transcribe still works
 * on is noted and removed when it lets go. Safe to repeat.
 */
export async function cleanUp(
  outside: Outside,
  recording: Pick<Recording, 'jobId' | 'userId' | 'source'>,
  mayHaveStarted: boolean,
  signal?: AbortSignal,
): Promise<void> {
  const { settings, s3, transcribe, limiter, leftovers } = outside;
  const name = transcriptionName(recording);
  const own = isOwnAudio(settings, recording) ? [recording.source.audio_key] : [];
  const keys = [...own, transcriptKey(settings, recording)];
  await s3.deleteObjects(settings.storage.audio_bucket, keys, signal);
  if (!mayHaveStarted) return;
  if ((await transcribe.delete(name, signal)) === 'running') {
    // Its place among the running jobs stays taken until then, as it does at AWS.
    await leftovers.add({ name, keys });
    return;
  }
  await limiter.vacate(name);
}

import { z } from 'zod';
import { jobOfTranscription } from './recording.ts';

/** EventBridge's event "Transcribe Job State Change" (Amazon Transcribe, "Monitoring with EventBridge"). */
const eventSchema = z.object({
  source: z.literal('aws.transcribe'),
  detail: z.object({
    TranscriptionJobName: z.string(),
    TranscriptionJobStatus: z.enum(['COMPLETED', 'FAILED']),
  }),
});

/** The job whose transcription has ended; undefined when the message is about something else. */
export function readCompletion(body: string): string | undefined {
  let event: unknown;
  try {
    event = JSON.parse(body);
  } catch {
    return undefined;
  }
  const parsed = eventSchema.safeParse(event);
  return parsed.success ? jobOfTranscription(parsed.data.detail.TranscriptionJobName) : undefined;
}

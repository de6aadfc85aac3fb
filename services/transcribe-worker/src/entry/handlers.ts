import { jobs, cutQuestion } from '@manuel/contracts';
import type { Handlers, HandlerOutcome, JobContext, RunWorkerOptions } from '@manuel/queues';
import { cleanUp } from '../domain/clean-up.ts';
import type { Outside } from '../domain/outside.ts';
import { type Recording, toMemory } from '../domain/recording.ts';
import { transcribeRecording } from '../domain/transcribe-recording.ts';

type Job = JobContext<'transcribe'> | JobContext<'voice'>;

function recordingOf(job: Job): Recording {
  const percents: Readonly<Record<string, number>> = jobs[job.name].steps;
  async function tell(step: string, transcription?: string): Promise<void> {
    const percent = percents[step];
    // A spoken question is not done when it is written down, so it shows fewer steps.
    if (percent === undefined) return;
    await job.progress({ step, percent, ...(transcription === undefined ? {} : { transcription }) });
  }
  return {
    jobId: job.id,
    userId: job.userId,
    source: job.payload,
    memory: toMemory(job.step),
    signal: job.signal,
    progress: (step) => tell(step),
    heard: (text) => tell(job.name === 'voice' ? 'transcribing' : 'fetching', text),
  };
}

export function createHandlers(outside: Outside): Handlers<'transcribe'> {
  return {
    async transcribe(job): Promise<HandlerOutcome<'transcribe'>> {
      const next = await transcribeRecording(outside, recordingOf(job));
      if (next.kind === 'again') return next;
      const { text, ...heard } = next.heard;
      return {
        kind: 'done',
        result: { transcription: text, ...heard, from_cache: next.fromCache },
        // A transcript that was made before costs nothing.
        charged: !next.fromCache,
      };
    },

    async voice(job): Promise<HandlerOutcome<'voice'>> {
      const next = await transcribeRecording(outside, recordingOf(job));
      if (next.kind === 'again') return next;
      const { persona, manual_ids, conversation_id, max_results } = job.payload;
      return {
        kind: 'hand-over',
        job: 'query',
        payload: {
          question: cutQuestion(next.heard.text),
          transcription: next.heard.text,
          persona,
          ...(manual_ids === undefined ? {} : { manual_ids }),
          ...(conversation_id === undefined ? {} : { conversation_id }),
          ...(max_results === undefined ? {} : { max_results }),
        },
      };
    },
  };
}

/** Removes what a job that failed, was cancelled or expired left behind. */
export function createAbandon(outside: Outside): NonNullable<RunWorkerOptions<'transcribe'>['onAbandoned']> {
  return async ({ name, envelope }) => {
    const payload = jobs[name].payload.safeParse(envelope.payload);
    if (!payload.success) return;
    const recording = { jobId: envelope.id, userId: envelope.user_id, source: payload.data };
    // A job without facts never came as far as a start.
    await cleanUp(outside, recording, toMemory(envelope.step ?? {}).facts !== undefined || envelope.step === undefined);
  };
}
